package e2e

import (
	"slices"
	"strings"
	"testing"
)

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
