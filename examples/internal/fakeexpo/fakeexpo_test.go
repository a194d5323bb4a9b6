package fakeexpo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
)

func post(t *testing.T, s *fakeexpo.Server, path, body string) (status int, answer map[string]any) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, fakeexpo.Path+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if err := json.NewDecoder(bytes.NewReader(w.Body.Bytes())).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return w.Code, answer
}

func messages(n int, token string) string {
	one := fmt.Sprintf(`{"to":%q,"title":"x","data":{"recipient":"alice"}}`, token)
	return "[" + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + "]"
}

func code(answer map[string]any) any {
	errors, _ := answer["errors"].([]any)
	if len(errors) == 0 {
		return nil
	}
	return errors[0].(map[string]any)["code"]
}

// Requests that Expo documents as errors are refused as a whole.
func TestRefusals(t *testing.T) {
	const a, b = "ExponentPushToken[a]", "ExponentPushToken[b]"
	ids := strings.TrimSuffix(strings.Repeat(`"x",`, 1001), ",")
	for _, tc := range []struct {
		name, path, body string
		status           int
		code             any
	}{
		{"100", "/send", messages(100, a), 200, nil},
		{"one, not in an array", "/send", `{"to":"` + a + `"}`, 200, nil},
		{"several tokens in a message", "/send", `{"to":["` + a + `","` + a + `"]}`, 200, nil},
		{"101", "/send", messages(101, a), 400, "PUSH_TOO_MANY_NOTIFICATIONS"},
		{"101 tokens in a message", "/send", `{"to":["` + strings.Repeat(a+`","`, 100) + a + `"]}`, 400, "PUSH_TOO_MANY_NOTIFICATIONS"},
		{"two projects", "/send", `[{"to":"` + a + `"},{"to":"` + b + `"}]`, 400, "PUSH_TOO_MANY_EXPERIENCE_IDS"},
		{"no recipient", "/send", `[{"title":"x"}]`, 400, "VALIDATION_ERROR"},
		{"not a token", "/send", `[{"to":"x"}]`, 400, "VALIDATION_ERROR"},
		{"data is no object", "/send", `[{"to":"` + a + `","data":1}]`, 400, "VALIDATION_ERROR"},
		{"every field", "/send", `{"to":"` + a + `","sound":null,"ttl":0,"badge":1,"priority":"high","interruptionLevel":"active","mutableContent":true,"richContent":{}}`, 200, nil},
		{"an unknown priority", "/send", `{"to":"` + a + `","priority":"max"}`, 400, "VALIDATION_ERROR"},
		{"an unknown field", "/send", `{"to":"` + a + `","channelID":"x"}`, 400, "VALIDATION_ERROR"},
		{"a phone that is refused", "/send", `{"to":"ExponentPushToken[refused]"}`, 403, "UNAUTHORIZED"},
		{"a project that is refused", "/send", `{"to":"ExponentPushToken[other]"}`, 401, "UNAUTHORIZED"},
		{"not JSON", "/send", `[`, 400, "VALIDATION_ERROR"},
		{"1,000 ids", "/getReceipts", `{"ids":[` + ids[4:] + `]}`, 200, nil},
		{"1,001 ids", "/getReceipts", `{"ids":[` + ids + `]}`, 400, "PUSH_TOO_MANY_RECEIPTS"},
		{"another path", "/other", `{}`, 404, "NOT_FOUND"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := fakeexpo.New(fakeexpo.Options{})
			s.Set(a, fakeexpo.Phone{Project: "@acme/app"})
			s.Set(b, fakeexpo.Phone{Project: "@acme/other"})
			s.Set("ExponentPushToken[refused]", fakeexpo.Phone{Project: "@acme/app", Refused: fakeexpo.Refusal{Status: 403, Code: "UNAUTHORIZED"}})
			s.Set("ExponentPushToken[other]", fakeexpo.Phone{Project: "@acme/refused"})
			s.Refuse("@acme/refused", fakeexpo.Refusal{Status: 401, Code: "UNAUTHORIZED"})
			status, answer := post(t, s, tc.path, tc.body)
			if status != tc.status || code(answer) != tc.code {
				t.Errorf("got %d %v, want %d %v", status, code(answer), tc.status, tc.code)
			}
			if tc.status != 200 && s.Stats().Taken != 0 {
				t.Error("the messages were accepted")
			}
		})
	}
	s := fakeexpo.New(fakeexpo.Options{AccessToken: "secret"})
	if status, answer := post(t, s, "/send", `[]`); status != 401 || code(answer) != "UNAUTHORIZED" {
		t.Errorf("without the access token: %d %v", status, answer)
	}
}

// At most 600 messages of each project are accepted in any second.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const a, b = "ExponentPushToken[a]", "ExponentPushToken[b]"
		s := fakeexpo.New(fakeexpo.Options{})
		s.Set(a, fakeexpo.Phone{Project: "@acme/app"})
		s.Set(b, fakeexpo.Phone{Project: "@acme/other"})
		var got []int
		send := func(token string) {
			status, _ := post(t, s, "/send", messages(100, token))
			got = append(got, status)
		}
		for range 6 {
			send(a)
			time.Sleep(100 * time.Millisecond)
		}
		send(a) // the seventh within the second
		send(b)
		time.Sleep(400 * time.Millisecond)
		send(a) // the first is a second ago
		send(a)
		want := []int{200, 200, 200, 200, 200, 200, 429, 200, 200, 429}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// Receipts exist after the delay, for a day.
func TestReceipts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakeexpo.New(fakeexpo.Options{ReceiptDelay: time.Minute})
		for i, answer := range []fakeexpo.Answer{{}, fakeexpo.Gone} {
			s.Set(fmt.Sprintf("ExponentPushToken[%d]", i), fakeexpo.Phone{Project: "p", User: "alice", Receipt: answer})
		}
		big := strings.Repeat("x", 4096)
		_, answer := post(t, s, "/send", `[{"to":"ExponentPushToken[0]","data":{"recipient":"alice"}},
			{"to":"ExponentPushToken[1]"},{"to":"ExponentPushToken[0]","body":"`+big+`"}]`)
		var ids []string
		for _, ticket := range answer["data"].([]any) {
			ids = append(ids, ticket.(map[string]any)["id"].(string))
		}
		request, _ := json.Marshal(map[string]any{"ids": append(ids, "unknown")})
		count := func() int {
			_, answer := post(t, s, "/getReceipts", string(request))
			return len(answer["data"].(map[string]any))
		}
		if n := count(); n != 0 {
			t.Errorf("%d receipts at once", n)
		}
		time.Sleep(time.Minute)
		_, answer = post(t, s, "/getReceipts", string(request))
		gone := func(code, token string) any {
			return map[string]any{
				"status": "error", "message": strconv.Quote(token) + ": " + code,
				"details": map[string]any{"error": code, "expoPushToken": token},
			}
		}
		want := map[string]any{"data": map[string]any{
			ids[0]: map[string]any{"status": "ok"}, ids[1]: gone("DeviceNotRegistered", "ExponentPushToken[1]"), ids[2]: gone("MessageTooBig", "ExponentPushToken[0]"),
		}}
		if diff := cmp.Diff(want, answer); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		time.Sleep(25 * time.Hour)
		if n := count(); n != 0 {
			t.Errorf("%d receipts after a day", n)
		}
	})
}

// Stats count messages that reach the phone of another user.
func TestMisrouted(t *testing.T) {
	const a = "ExponentPushToken[a]"
	s := fakeexpo.New(fakeexpo.Options{})
	s.Set(a, fakeexpo.Phone{Project: "p", User: "alice"})
	post(t, s, "/send", messages(1, a))
	if s.Stats().Misrouted != 0 || s.Received(a) != 1 {
		t.Errorf("%+v", s.Stats())
	}
	s.LogIn(a, "bob")
	post(t, s, "/send", messages(1, a))
	if s.Stats().Misrouted != 1 {
		t.Errorf("%+v", s.Stats())
	}
}
