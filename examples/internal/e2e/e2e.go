// Package e2e tests a deployment of the device tokens API over HTTP, as apps use it:
// a process, or a function behind a gateway.
package e2e

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"
)

// Run tests the deployment at baseURL, which has no trailing slash and does not
// include the path of the API. bearer returns a credential for a user. Each run uses
// new users, devices and tokens, so that deployments may share a table and a run may
// be repeated.
//
// Run sends only requests that a gateway passes on: declared methods, on the path of
// the API, with a credential.
func Run(t *testing.T, baseURL string, bearer func(user string) string) {
	run := rand.Text()
	newApp := func(name string) app {
		return app{url: baseURL + "/v1/device-tokens", bearer: bearer(name + "-" + run)}
	}
	phone := func(n string) string { return "ExponentPushToken[" + n + run + "]" }

	t.Run("a phone changes hands", func(t *testing.T) {
		changesHands(t, newApp("alice"), newApp("bob"), phone("1"))
	})
	t.Run("a user with several devices", func(t *testing.T) {
		severalDevices(t, newApp("carol"), phone)
	})
	t.Run("bad input", func(t *testing.T) {
		badInput(t, newApp("dave"), phone("bad"))
	})
	t.Run("no credential", func(t *testing.T) {
		anonymous := newApp("stranger")
		anonymous.bearer = ""
		a := anonymous.send(t, "GET", "", "")
		if a.status != 401 || a.header.Get("WWW-Authenticate") == "" || a.problem.Status != 401 {
			t.Errorf("answer is %d %s, %+v", a.status, a.header, a.problem)
		}
	})
}

func changesHands(t *testing.T, alice, bob app, phone string) {
	alice.listed(t)
	created := alice.register(t, "phone", phone, 201)
	if created.DeviceID != "phone" || created.Platform != "ios" || created.ProjectID != "" {
		t.Errorf("registered is %+v", created)
	}
	if !created.RegisteredAt.Equal(created.UpdatedAt) || created.ExpiresAt.Before(created.UpdatedAt.Add(7*24*time.Hour)) {
		t.Errorf("times are %v, %v and %v", created.RegisteredAt, created.UpdatedAt, created.ExpiresAt)
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
}

// badInput checks that each bad request gets its problem, and has no effect.
func badInput(t *testing.T, dave app, phone string) {
	valid := body("phone", phone)
	open, end := valid[:len(valid)-1], valid[len(`{"deviceId":"phone"`):]
	for _, tc := range []struct {
		name   string
		body   string
		header []string
		status int
		code   string
		fields []string
	}{
		{"not JSON", "deviceId=phone", nil, 400, "invalid_json", nil},
		{"cut short", open, nil, 400, "invalid_json", nil},
		{"two objects", valid + valid, nil, 400, "trailing_data", nil},
		{"an array", "[" + valid + "]", nil, 400, "not_an_object", nil},
		{"a member that is not declared", open + `,"model":"x"}`, nil, 400, "unknown_member", nil},
		{"a user", open + `,"userId":"alice"}`, nil, 400, "unknown_member", nil},
		{"a member twice", open + `,"platform":"android"}`, nil, 400, "duplicate_member", []string{"platform duplicate_member"}},
		{"a number", `{"deviceId":1` + end, nil, 400, "wrong_type", []string{"deviceId wrong_type"}},
		{"null", `{"deviceId":null` + end, nil, 400, "wrong_type", []string{"deviceId wrong_type"}},
		{"an object", `{"deviceId":{}` + end, nil, 400, "nested_value", []string{"deviceId nested_value"}},
		{"half a character", `{"deviceId":"\ud83d"` + end, nil, 400, "lone_surrogate", []string{"deviceId lone_surrogate"}},
		{"a form", valid, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported_media_type", nil},
		{"compressed", valid, []string{"Content-Encoding", "gzip"}, 415, "unsupported_content_coding", nil},
		{"too large", valid + strings.Repeat(" ", 5000), nil, 413, "content_too_large", nil},
		{"nothing", `{}`, nil, 422, "invalid_fields", []string{"deviceId required", "expoPushToken required", "platform required"}},
		{"all bad at once", `{"deviceId":"\u0000","expoPushToken":"x","platform":"web","projectId":"` + strings.Repeat("p", 65) + `"}`, nil,
			422, "invalid_fields", []string{"deviceId control_character", "expoPushToken malformed", "platform unknown", "projectId too_long"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			checkProblem(t, dave.send(t, "POST", "", tc.body, tc.header...), tc.status, tc.code, tc.fields)
		})
	}
	for _, tc := range []struct {
		name   string
		query  string
		fields []string
	}{
		{"no device", "", []string{"deviceId required"}},
		{"a device twice", "?deviceId=phone&deviceId=phone", []string{"deviceId repeated"}},
		{"a device that is too long", "?deviceId=" + strings.Repeat("p", 129), []string{"deviceId too_long"}},
		{"another permanent", "?deviceId=phone&permanent=1", []string{"permanent unknown"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			checkProblem(t, dave.send(t, "DELETE", tc.query, ""), 422, "invalid_fields", tc.fields)
		})
	}
	dave.listed(t)
}

func checkProblem(t *testing.T, a answer, status int, code string, fields []string) {
	t.Helper()
	if a.status != status || a.problem.Status != status || a.problem.Code != code {
		t.Errorf("answer is %d, %+v, want %d %s", a.status, a.problem, status, code)
	}
	if got := a.problem.fields(); !slices.Equal(got, fields) {
		t.Errorf("bad fields are %q, want %q", got, fields)
	}
}
