package fakeexpo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
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

// Requests that Expo documents as errors are refused as a whole.
func TestRefusals(t *testing.T) {
	const a, b, refused, other = "ExponentPushToken[a]", "ExponentPushToken[b]", "ExponentPushToken[refused]", "ExponentPushToken[other]"
	ids := strings.TrimSuffix(strings.Repeat(`"x",`, 1001), ",")
	for _, tc := range []struct {
		path, body string
		status     int
		code       string // "" if it is accepted
	}{
		{"/send", messages(100, a), 200, ""},
		{"/send", messages(101, a), 400, "PUSH_TOO_MANY_NOTIFICATIONS"},
		{"/send", `{"to":"` + a + `"}`, 200, ""},
		{"/send", `{"to":["` + a + `","` + a + `"]}`, 200, ""},
		{"/send", `{"to":["` + strings.Repeat(a+`","`, 100) + a + `"]}`, 400, "PUSH_TOO_MANY_NOTIFICATIONS"},
		{"/send", `[{"to":"` + a + `"},{"to":"` + b + `"}]`, 400, "PUSH_TOO_MANY_EXPERIENCE_IDS"},
		{"/send", `[{"title":"x"}]`, 400, "VALIDATION_ERROR"},
		{"/send", `[{"to":"x"}]`, 400, "VALIDATION_ERROR"},
		{"/send", `[{"to":"` + a + `","data":1}]`, 400, "VALIDATION_ERROR"},
		{"/send", `{"to":"` + a + `","sound":null,"ttl":0,"badge":1,"priority":"high","interruptionLevel":"active","mutableContent":true,"richContent":{}}`, 200, ""},
		{"/send", `{"to":"` + a + `","priority":"max"}`, 400, "VALIDATION_ERROR"},
		{"/send", `{"to":"` + a + `","channelID":"x"}`, 400, "VALIDATION_ERROR"},
		{"/send", messages(1, refused), 403, "UNAUTHORIZED"},
		{"/send", messages(1, other), 401, "UNAUTHORIZED"},
		{"/send", `[`, 400, "VALIDATION_ERROR"},
		{"/getReceipts", `{"ids":[` + ids[4:] + `]}`, 200, ""},
		{"/getReceipts", `{"ids":[` + ids + `]}`, 400, "PUSH_TOO_MANY_RECEIPTS"},
		{"/other", `{}`, 404, "NOT_FOUND"},
	} {
		s := fakeexpo.New(fakeexpo.Options{})
		s.Set(a, fakeexpo.Phone{Project: "@acme/app"})
		s.Set(b, fakeexpo.Phone{Project: "@acme/other"})
		s.Set(refused, fakeexpo.Phone{Project: "@acme/app", Refused: fakeexpo.Refusal{Status: 403, Code: "UNAUTHORIZED"}})
		s.Set(other, fakeexpo.Phone{Project: "@acme/refused"})
		s.Refuse("@acme/refused", fakeexpo.Refusal{Status: 401, Code: "UNAUTHORIZED"})
		status, _ := post(t, s, tc.path, tc.body)
		if n := s.Stats().Refused[tc.code]; status != tc.status || (n == 1) != (tc.code != "") || tc.code != "" && s.Stats().Taken != 0 {
			t.Errorf("%.100s: got %d, want %d %s: %+v", tc.body, status, tc.status, tc.code, s.Stats())
		}
	}
	s := fakeexpo.New(fakeexpo.Options{AccessToken: "secret"})
	if status, answer := post(t, s, "/send", `[]`); status != 401 || s.Stats().Refused["UNAUTHORIZED"] != 1 {
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
		if want := []int{200, 200, 200, 200, 200, 200, 429, 200, 200, 429}; !slices.Equal(want, got) {
			t.Errorf("got %v, want %v", got, want)
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
		receipts := func() any {
			_, answer := post(t, s, "/getReceipts", string(request))
			return answer["data"]
		}
		gone := func(code, token string) any {
			return map[string]any{
				"status": "error", "message": strconv.Quote(token) + ": " + code,
				"details": map[string]any{"error": code, "expoPushToken": token},
			}
		}
		want := map[string]any{
			ids[0]: map[string]any{"status": "ok"}, ids[1]: gone("DeviceNotRegistered", "ExponentPushToken[1]"), ids[2]: gone("MessageTooBig", "ExponentPushToken[0]"),
		}
		none := map[string]any{}
		for _, want := range []any{none, want, none} {
			if diff := cmp.Diff(want, receipts()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			time.Sleep(time.Minute + 12*time.Hour)
		}
	})
}

// Stats count messages that reach the phone of another user.
func TestMisrouted(t *testing.T) {
	const a = "ExponentPushToken[a]"
	s := fakeexpo.New(fakeexpo.Options{})
	s.Set(a, fakeexpo.Phone{Project: "p"})
	for wrong, user := range []string{"alice", "bob"} {
		s.LogIn(a, user)
		if err := s.Push([]string{a}, "x", "alice"); err != nil {
			t.Error(err)
		}
		if s.Stats().Misrouted != wrong || s.Received(a) != wrong+1 {
			t.Errorf("%+v", s.Stats())
		}
	}
}
