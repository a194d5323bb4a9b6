// Package e2e tests a deployment of the device tokens API over HTTP, as apps use it:
// a process, or a function behind a gateway.
package e2e

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Run tests the deployment at baseURL, without the path of the API. bearer returns a
// credential for a user. Each run uses new users, devices and tokens, so that
// deployments may share a table, and leaves nothing behind. Run sends only requests that
// a gateway passes on: declared methods, on the path of the API.
func Run(t *testing.T, baseURL string, bearer func(user string) string) {
	run, url := rand.Text(), baseURL+"/v1/device-tokens"
	newApp := func(name string) app { return app{url, bearer(name + "-" + run)} }
	phone := func(n string) string { return "ExponentPushToken[" + n + run + "]" }

	t.Run("a phone changes hands", func(t *testing.T) { changesHands(t, newApp("alice"), newApp("bob"), phone("1")) })
	t.Run("a user with several devices", func(t *testing.T) { severalDevices(t, newApp("carol"), phone) })
	t.Run("bad input", func(t *testing.T) { badInput(t, newApp("dave"), phone("bad")) })
	t.Run("no credential", func(t *testing.T) {
		a := app{url: url}.send(t, "GET", "", "")
		a.is(t, 401, "unauthenticated")
		if a.header.Get("WWW-Authenticate") == "" {
			t.Error("the answer has no WWW-Authenticate")
		}
	})
}

func changesHands(t *testing.T, alice, bob app, phone string) {
	alice.listed(t)
	created := alice.register(t, "phone", phone, 201)
	if created.DeviceID != "phone" || created.Platform != "ios" || created.ProjectID != "" || !created.RegisteredAt.Equal(created.UpdatedAt) || created.ExpiresAt.Before(created.UpdatedAt.Add(7*24*time.Hour)) {
		t.Errorf("registered is %+v", created)
	}
	refreshed := alice.register(t, "phone", phone, 200)
	if !refreshed.RegisteredAt.Equal(created.RegisteredAt) || refreshed.UpdatedAt.Before(created.UpdatedAt) {
		t.Errorf("refreshed is %+v, and was %+v", refreshed, created)
	}
	alice.listed(t, "phone")

	bob.register(t, "phone", strings.Replace(phone, "ExponentPushToken", "ExpoPushToken", 1), 201) // the same, spelled otherwise
	alice.listed(t)
	bob.listed(t, "phone")

	alice.remove(t, "?deviceId=phone") // a late log-out does not touch bob's registration
	bob.listed(t, "phone")

	bob.remove(t, "?deviceId=phone")
	bob.listed(t)
	bob.remove(t, "?deviceId=phone")
	bob.register(t, "phone", phone, 200) // it was there, inactive
	bob.listed(t, "phone")
	bob.remove(t, "?deviceId=phone&permanent=true")
	bob.listed(t)
	bob.register(t, "phone", phone, 201)
	bob.remove(t, "?permanent=true&deviceId=phone")
}

func severalDevices(t *testing.T, carol app, phone func(string) string) {
	carol.register(t, "b", phone("b"), 201)
	carol.register(t, `ä#&=?+%/ \"`, phone("c"), 201)
	carol.register(t, "a", phone("a"), 201)
	carol.listed(t, "a", "b", `ä#&=?+%/ "`)
	carol.register(t, "a", phone("a2"), 200)  // another token on the same device
	carol.register(t, "a2", phone("a2"), 201) // reinstalled: another device id with the same token
	carol.listed(t, "a2", "b", `ä#&=?+%/ "`)
	carol.remove(t, "?deviceId=%C3%A4%23%26%3D%3F%2B%25%2F+%22&userId=another-user")
	carol.remove(t, "?deviceId=a2&permanent=false")
	carol.remove(t, "?deviceId=b&permanent=true")
	carol.listed(t)
	carol.remove(t, "?deviceId=%C3%A4%23%26%3D%3F%2B%25%2F+%22&permanent=true")
	carol.remove(t, "?deviceId=a2&permanent=true")
}

// badInput sends bad requests, which have no effect. Package httpapi tests the others.
func badInput(t *testing.T, dave app, phone string) {
	valid := body("phone", phone)
	dave.send(t, "POST", "", "deviceId=phone").is(t, 400, "invalid_json")
	dave.send(t, "POST", "", valid, "Content-Type", "application/x-www-form-urlencoded").is(t, 415, "unsupported_media_type")
	dave.send(t, "POST", "", valid+strings.Repeat(" ", 5000)).is(t, 413, "content_too_large")
	dave.send(t, "POST", "", body("", "x")).is(t, 422, "invalid_fields", "deviceId required", "expoPushToken malformed")
	dave.send(t, "DELETE", "?deviceId=phone&deviceId=phone", "").is(t, 422, "invalid_fields", "deviceId repeated")
	dave.listed(t)
}

// An app sends the requests of a user, with the user's credential, if any.
type app struct{ url, bearer string }

type answer struct {
	status int
	header http.Header
	registration
	DeviceTokens []registration
	Code         string // of a problem
	Errors       []struct{ Field, Code string }
}

type registration struct {
	DeviceID, Platform, ProjectID      string
	RegisteredAt, UpdatedAt, ExpiresAt time.Time
}

// send sends a request and checks the properties of every response.
func (a app) send(t *testing.T, method, query, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, a.url+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if a.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+a.bearer)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if header != nil {
		req.Header.Set(header[0], header[1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	// The text of a 422 shows the form of a token.
	const form = "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]"
	if strings.Contains(strings.ReplaceAll(string(text), form, ""), "PushToken[") {
		t.Errorf("the answer has a token in it: %s", text)
	}
	want, got := "application/json", answer{status: resp.StatusCode, header: resp.Header}
	if resp.StatusCode >= 400 {
		want = "application/problem+json"
	}
	if resp.StatusCode == http.StatusNoContent {
		want, text = "", append(text, "{}"...) // an answer with content is then malformed
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if kind, cache := resp.Header.Get("Content-Type"), resp.Header.Get("Cache-Control"); kind != want || cache != "no-store" {
		t.Errorf("content type is %q, want %q; Cache-Control is %q", kind, want, cache)
	}
	return got
}

func (a answer) is(t *testing.T, status int, code string, fields ...string) {
	t.Helper()
	var got []string
	for _, e := range a.Errors {
		got = append(got, e.Field+" "+e.Code)
	}
	if diff := cmp.Diff(fields, got); a.status != status || a.Code != code || diff != "" {
		t.Fatalf("answer is %d %q, want %d %q; fields (-want +got):\n%s", a.status, a.Code, status, code, diff)
	}
}

func (a app) register(t *testing.T, device, token string, status int) registration {
	t.Helper()
	got := a.send(t, "POST", "", body(device, token))
	got.is(t, status, "")
	return got.registration
}

func body(device, token string) string {
	return `{"deviceId":"` + device + `","expoPushToken":"` + token + `","platform":"ios"}`
}

func (a app) remove(t *testing.T, query string) {
	t.Helper()
	a.send(t, "DELETE", query, "").is(t, http.StatusNoContent, "")
}

func (a app) listed(t *testing.T, devices ...string) {
	t.Helper()
	got := a.send(t, "GET", "", "")
	got.is(t, http.StatusOK, "")
	var ids []string
	for _, r := range got.DeviceTokens {
		ids = append(ids, r.DeviceID)
	}
	if diff := cmp.Diff(devices, ids); diff != "" {
		t.Fatalf("devices (-want +got):\n%s", diff)
	}
}
