package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// An app is a user's app: it sends requests with the user's credential.
type app struct {
	url    string
	bearer string // "" is no credential
}

// An answer is a response, decoded if it is JSON.
type answer struct {
	status       int
	header       http.Header
	registration registration
	list         []registration
	problem      problem
}

type registration struct {
	DeviceID     string    `json:"deviceId"`
	Platform     string    `json:"platform"`
	ProjectID    string    `json:"projectId"`
	RegisteredAt time.Time `json:"registeredAt"`
	UpdatedAt    time.Time `json:"updatedAt"`
	ExpiresAt    time.Time `json:"expiresAt"`
}

type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Errors []struct {
		Field string `json:"field"`
		Code  string `json:"code"`
	} `json:"errors"`
}

// fields returns "field code" for each invalid field.
func (p problem) fields() []string {
	var fields []string
	for _, e := range p.Errors {
		fields = append(fields, e.Field+" "+e.Code)
	}
	return fields
}

// send sends a request and checks the properties of every response. header has
// pairs of a name and a value.
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
	for pair := range slices.Chunk(header, 2) {
		req.Header.Set(pair[0], pair[1])
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
	return decode(t, resp, text)
}

func decode(t *testing.T, resp *http.Response, text []byte) answer {
	t.Helper()
	a := answer{status: resp.StatusCode, header: resp.Header}
	contentType := resp.Header.Get("Content-Type")
	switch {
	case resp.StatusCode == http.StatusNoContent:
		if len(text) > 0 {
			t.Errorf("an answer without content has some: %s", text)
		}
	case resp.StatusCode >= 400:
		if contentType != "application/problem+json" {
			t.Errorf("content type is %q", contentType)
		}
		unmarshal(t, text, &a.problem)
	default:
		if contentType != "application/json" {
			t.Errorf("content type is %q", contentType)
		}
		var list struct {
			DeviceTokens *[]registration `json:"deviceTokens"`
		}
		unmarshal(t, text, &list)
		unmarshal(t, text, &a.registration)
		if list.DeviceTokens != nil {
			a.list = *list.DeviceTokens
		}
	}
	if got := resp.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control is %q", got)
	}
	return a
}

func unmarshal(t *testing.T, text []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// register registers a device and checks the status.
func (a app) register(t *testing.T, device, token string, status int) registration {
	t.Helper()
	got := a.send(t, "POST", "", body(device, token))
	if got.status != status {
		t.Fatalf("register %s: status is %d, want %d (%+v)", device, got.status, status, got.problem)
	}
	return got.registration
}

func body(device, token string) string {
	return `{"deviceId":"` + device + `","expoPushToken":"` + token + `","platform":"ios"}`
}

// remove logs out on a device, or erases it, and checks the status.
func (a app) remove(t *testing.T, query string) {
	t.Helper()
	if got := a.send(t, "DELETE", query, ""); got.status != http.StatusNoContent {
		t.Fatalf("delete: status is %d (%+v)", got.status, got.problem)
	}
}

// listed checks the devices in the user's list.
func (a app) listed(t *testing.T, devices ...string) {
	t.Helper()
	got := a.send(t, "GET", "", "")
	if got.status != http.StatusOK {
		t.Fatalf("list: status is %d (%+v)", got.status, got.problem)
	}
	var ids []string
	for _, r := range got.list {
		ids = append(ids, r.DeviceID)
	}
	if !slices.Equal(ids, devices) {
		t.Fatalf("listed are %q, want %q", ids, devices)
	}
}
