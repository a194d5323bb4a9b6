package expo

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/tokens"
)

// answers is a network that gives every request the same answer.
type answers struct {
	status int
	body   string
	header http.Header
}

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

func send(t *testing.T, a answers, n int) ([]Ticket, error) {
	c := Client{URL: "http://expo.test", Transport: a}
	messages := make([]Message, n)
	for i := range messages {
		messages[i].To = tokens.MustParseToken("ExponentPushToken[a]")
	}
	return c.Send(t.Context(), messages)
}

// A member of a ticket that is null or of another type counts as missing, and the next
// ticket is read all the same.
func TestTickets(t *testing.T) {
	for i, tc := range []struct {
		ticket string
		want   Ticket
	}{
		{`{"status":"ok","id":"1"}`, Ticket{ID: "1"}},
		{`{"status":"ok"}`, Ticket{}},
		{`{"status":"ok","id":null}`, Ticket{}},
		{`{"status":"ok","id":""}`, Ticket{}},
		{`{"status":"ok","id":7}`, Ticket{}},
		{`{"status":"ok","id":["1"]}`, Ticket{}},
		{`{"status":"ok","id":{"id":"1"}}`, Ticket{}},
		{`{"status":"ok","id":"a b"}`, Ticket{}},
		{`{"status":"ok","id":"` + strings.Repeat("x", 129) + `"}`, Ticket{}},
		{`{"status":"ok","id":"1","details":null,"new":[]}`, Ticket{ID: "1"}},
		{`{"status":"error","message":"\"ExponentPushToken[a]\" is gone","details":{"error":"DeviceNotRegistered","expoPushToken":"ExponentPushToken[a]"}}`, Ticket{Error: DeviceNotRegistered}},
		{`{"status":"error","id":"1","details":{"error":"InvalidCredentials","fault":"developer"}}`, Ticket{Error: "InvalidCredentials"}},
		{`{"status":"error","message":"no details"}`, Ticket{Error: Unknown}},
		{`{"status":"error","details":null}`, Ticket{Error: Unknown}},
		{`{"status":"error","details":"a text"}`, Ticket{Error: Unknown}},
		{`{"status":"error","details":["DeviceNotRegistered"]}`, Ticket{Error: Unknown}},
		{`{"status":"error","details":{"error":null}}`, Ticket{Error: Unknown}},
		{`{"status":"error","details":{"error":["DeviceNotRegistered"]}}`, Ticket{Error: Unknown}},
		{`{"status":"error","details":{"error":"ExponentPushToken[a] is gone"}}`, Ticket{Error: Unknown}},
		{`{"id":"1"}`, Ticket{Error: Unknown}},
		{`{"status":null,"id":"1"}`, Ticket{Error: Unknown}},
		{`{"status":["ok"],"id":"1"}`, Ticket{Error: Unknown}},
		{`{}`, Ticket{Error: Unknown}},
		{`null`, Ticket{Error: NoTicket}},
		{`"ok"`, Ticket{Error: NoTicket}},
		{`7`, Ticket{Error: NoTicket}},
		{`[{"status":"ok","id":"1"}]`, Ticket{Error: NoTicket}},
	} {
		with(t, i, tc.ticket, func(t *testing.T) {
			got, err := send(t, answers{status: 200, body: `{"data":[` + tc.ticket + `,{"status":"ok","id":"2"}]}`}, 2)
			if diff := cmp.Diff([]Ticket{tc.want, {ID: "2"}}, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// The action and the error text for each kind of answer to a whole request.
func TestAnswers(t *testing.T) {
	const ok = `{"status":"ok","id":"1"}`
	const mixed = `{"code":"PUSH_TOO_MANY_EXPERIENCE_IDS","message":"ExponentPushToken[a]","details":{"@acme/app":["ExponentPushToken[a]","x",7,null],"b":"c"}}`
	for i, tc := range []struct {
		status int
		body   string
		action Action
		says   string // "" is two tickets
	}{
		{200, `{"data":[` + ok + `,` + ok + `]}`, 0, ""},
		{200, `{"data":[` + ok + `,` + ok + `],"errors":[]}`, 0, ""},
		{200, `{"data":[` + ok + `,` + ok + `],"errors":null}`, 0, ""},
		{200, `{"data":[` + ok + `,` + ok + `],"errors":[{"code":"UNAUTHORIZED"}]}`, 0, ""}, // they were taken
		{200, `{"data":[]}`, 0, ErrTickets.Error()},
		{200, `{"data":[` + ok + `]}`, 0, ErrTickets.Error()},
		{200, `{"data":[` + ok + `,` + ok + `,` + ok + `]}`, 0, ErrTickets.Error()},
		{200, `{"data":` + ok + `}`, 0, ErrAnswer.Error()},
		{200, `{"data":null}`, 0, ErrAnswer.Error()},
		{200, `{"data":"ok"}`, 0, ErrAnswer.Error()},
		{200, `{}`, 0, ErrAnswer.Error()},
		{200, `[` + ok + `,` + ok + `]`, 0, ErrAnswer.Error()},
		{200, `null`, 0, ErrAnswer.Error()},
		{200, `<html>ExponentPushToken[a]`, 0, ErrAnswer.Error()},
		{200, ``, 0, ErrAnswer.Error()},
		{204, ``, 0, ErrAnswer.Error()},
		{202, `{"data":[` + ok + `,` + ok + `]}`, 0, ErrAnswer.Error()},

		{200, `{"errors":[{"code":"VALIDATION_ERROR"}]}`, Narrow, "expo answered 200 VALIDATION_ERROR"},
		{200, `{"data":null,"errors":[{"code":"UNAUTHORIZED"}]}`, Narrow, "expo answered 200 UNAUTHORIZED"},
		{200, `{"data":[],"errors":[{"code":"UNAUTHORIZED"}]}`, Narrow, "expo answered 200 UNAUTHORIZED"},
		{200, `{"errors":[` + mixed + `]}`, Narrow, "expo answered 200 PUSH_TOO_MANY_EXPERIENCE_IDS"},
		{200, `{"errors":[{"code":"TOO_MANY_REQUESTS"}]}`, Repeat, "expo answered 200 TOO_MANY_REQUESTS"},
		{200, `{"errors":[{"code":"INTERNAL_SERVER_ERROR"}]}`, Repeat, "expo answered 200 INTERNAL_SERVER_ERROR"},
		{200, `{"errors":[{}]}`, Narrow, "expo answered 200 unknown"},
		{200, `{"errors":{"code":"UNAUTHORIZED"}}`, Narrow, "expo answered 200 UNAUTHORIZED"},
		{200, `{"errors":[null,"x",{"code":7},{"code":"UNAUTHORIZED"}]}`, Narrow, "expo answered 200 UNAUTHORIZED"},
		{200, `{"errors":"no"}`, Narrow, "expo answered 200 unknown"},

		{301, ``, Stop, "expo answered 301 "},
		{307, `{"errors":[{"code":"MOVED"}]}`, Stop, "expo answered 307 MOVED"},
		{400, `{"errors":[` + mixed + `]}`, Narrow, "expo answered 400 PUSH_TOO_MANY_EXPERIENCE_IDS"},
		{400, `{"errors":[{"code":"PUSH_TOO_MANY_NOTIFICATIONS"}]}`, Narrow, "expo answered 400 PUSH_TOO_MANY_NOTIFICATIONS"},
		{400, `{"errors":[{"code":"ExponentPushToken[a]"}]}`, Narrow, "expo answered 400 unknown"},
		{400, `{"errors":{}}`, Narrow, "expo answered 400 unknown"},
		{401, `{"error":"invalid_token"}`, Narrow, "expo answered 401 "},
		{403, `{"errors":[{"code":"UNAUTHORIZED"}]}`, Narrow, "expo answered 403 UNAUTHORIZED"},
		{404, `<html>`, Narrow, "expo answered 404 "},
		{408, ``, Repeat, "expo answered 408 "},
		{413, ``, Narrow, "expo answered 413 "},
		{429, `{"errors":[{"code":"TOO_MANY_REQUESTS"}]}`, Repeat, "expo answered 429 TOO_MANY_REQUESTS"},
		{500, `{"errors":[{"code":"INTERNAL_SERVER_ERROR"}]}`, Repeat, "expo answered 500 INTERNAL_SERVER_ERROR"},
		{500, `{"errors":[{"code":"VALIDATION_ERROR"}]}`, Narrow, "expo answered 500 VALIDATION_ERROR"},
		{502, `<html>ExponentPushToken[a]`, Repeat, "expo answered 502 "},
		{504, ``, Repeat, "expo answered 504 "},
	} {
		with(t, i, fmt.Sprint(tc.status, tc.body), func(t *testing.T) {
			tickets, err := send(t, answers{status: tc.status, body: tc.body}, 2)
			if tc.says == "" {
				if err != nil || len(tickets) != 2 {
					t.Errorf("%d tickets, %v", len(tickets), err)
				}
				return
			}
			if err == nil || err.Error() != tc.says {
				t.Fatalf("got %v, want %s", err, tc.says)
			}
			var refused *Error
			if isRefused := errors.As(err, &refused); isRefused && refused.Action() != tc.action || !isRefused && tc.action != 0 {
				t.Errorf("got %v, which is not the action %d", err, tc.action)
			}
			if strings.Contains(tc.body, "EXPERIENCE_IDS") {
				want := map[string][]tokens.Token{"@acme/app": {tokens.MustParseToken("ExponentPushToken[a]")}}
				if diff := cmp.Diff(want, refused.Projects); diff != "" {
					t.Errorf("projects (-want +got):\n%s", diff)
				}
			}
		})
	}
	if tickets, err := send(t, answers{status: 200, body: `{"data":` + ok + `}`}, 1); err != nil || tickets[0].ID != "1" {
		t.Errorf("one ticket for one message: %v, %v", tickets, err)
	}
}

// The same for answers to a request for two receipts.
func TestReceipts(t *testing.T) {
	fine := map[string]Receipt{"a": {}}
	for i, tc := range []struct {
		data string
		want map[string]Receipt // nil is an error
	}{
		{`{"a":{"status":"ok"},"b":{"status":"error","details":{"error":"DeviceNotRegistered"}}}`, map[string]Receipt{"a": {}, "b": {Error: DeviceNotRegistered}}},
		{`{"a":{"status":"ok"}}`, fine},
		{`{"a":{"status":"ok"},"b":null}`, fine},
		{`{"a":{"status":"ok"},"c":{"status":"error"}}`, fine},
		{`{"a":{"status":"ok"},"b":"gone"}`, map[string]Receipt{"a": {}, "b": {Error: Unknown}}},
		{`{"a":{"status":"ok"},"b":[{"status":"ok"}]}`, map[string]Receipt{"a": {}, "b": {Error: Unknown}}},
		{`{"a":{"status":"ok"},"b":{"status":7}}`, map[string]Receipt{"a": {}, "b": {Error: Unknown}}},
		{`{"a":{"status":"ok"},"b":{"status":"error","details":[]}}`, map[string]Receipt{"a": {}, "b": {Error: Unknown}}},
		{`{}`, map[string]Receipt{}},
		{`[]`, map[string]Receipt{}}, // an empty map, in some languages
		{`[{"status":"ok"},{"status":"ok"}]`, nil},
		{`null`, nil},
		{`"no"`, nil},
	} {
		with(t, i, tc.data, func(t *testing.T) {
			c := Client{URL: "http://expo.test", Transport: answers{status: 200, body: `{"data":` + tc.data + `}`}}
			got, err := c.Receipts(t.Context(), []string{"a", "b"})
			if diff := cmp.Diff(tc.want, got); diff != "" || (err != nil) != (tc.want == nil) || err != nil && !errors.Is(err, ErrAnswer) {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
	c := Client{URL: "http://expo.test", Transport: answers{status: 200, body: `{"errors":[{"code":"PUSH_TOO_MANY_RECEIPTS"}]}`}}
	var refused *Error
	if _, err := c.Receipts(t.Context(), []string{"a"}); !errors.As(err, &refused) || refused.Action() != Narrow {
		t.Errorf("got %v", err)
	}
}

// The action for each code that Expo documents for tickets and receipts.
func TestActions(t *testing.T) {
	for code, want := range map[string]Action{
		"DeviceNotRegistered": Invalidate,
		"MessageRateExceeded": RepeatSlowly,
		"MessageTooBig":       Fail, "DeveloperError": Fail, "InvalidCredentials": Fail, "MismatchSenderId": Fail,
		"ProviderError": Fail, "ExpoError": Fail, NoTicket: Fail, Unknown: Fail, "": Fail,
	} {
		if got := ActionFor(code); got != want {
			t.Errorf("%q calls for %d, want %d", code, got, want)
		}
	}
}

// No redirect is followed, whether it keeps the method or not.
func TestRedirects(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			var requests int
			network := roundTrip(func(*http.Request) *http.Response {
				requests++
				return &http.Response{StatusCode: status, Header: http.Header{"Location": {"http://other.test"}}, Body: http.NoBody}
			})
			c := Client{URL: "http://expo.test", Transport: network}
			_, err := c.Send(t.Context(), []Message{{To: tokens.MustParseToken("ExponentPushToken[a]")}})
			var refused *Error
			if !errors.As(err, &refused) || refused.Action() != Stop || requests != 1 {
				t.Errorf("got %v after %d requests", err, requests)
			}
		})
	}
}

type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

func TestCheckURL(t *testing.T) {
	for address, fine := range map[string]bool{
		DefaultURL: true, "https://push.example": true, "http://localhost:8080/x": true, "http://LOCALHOST": true,
		"http://127.0.0.1:1": true, "http://127.8.9.1": true, "http://[::1]:80": true,
		"http://exp.host": false, "http://localhost.example": false, "http://127.0.0.1.example": false,
		"http://0.0.0.0": false, "http://10.0.0.1": false, "http://[::]": false, "http://localhost@exp.host": false,
		"https://user:password@exp.host": false, "https://exp.host?a=b": false, "https://exp.host#a": false,
		"ftp://localhost": false, "exp.host": false, "": false, "https://": false, "https://:443": false, "//exp.host": false,
	} {
		if err := CheckURL(address); (err == nil) != fine {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// taken is a network that records the last request.
type taken struct {
	answers
	header http.Header
	body   map[string]any
}

func (n *taken) RoundTrip(r *http.Request) (*http.Response, error) {
	unzipped, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	var messages []map[string]any
	if err := json.NewDecoder(unzipped).Decode(&messages); err != nil {
		return nil, err
	}
	n.header, n.body = r.Header, messages[0]
	return n.answers.RoundTrip(r)
}

// Requests are compressed and have the documented form.
func TestRequest(t *testing.T) {
	network := &taken{answers: answers{status: 200, body: `{"data":[{"status":"ok","id":"1"}]}`}}
	c := Client{URL: "http://expo.test", AccessToken: "secret", Transport: network}
	if _, err := c.Send(t.Context(), []Message{{
		To: tokens.MustParseToken("ExponentPushToken[a]"), Content: Content{Title: "Hello", Body: "there"}, Data: map[string]any{"recipient": "alice"},
	}}); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"to": "ExponentPushToken[a]", "title": "Hello", "body": "there", "data": map[string]any{"recipient": "alice"}}
	if diff := cmp.Diff(want, network.body); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"Content-Encoding": "gzip", "Content-Type": "application/json", "Authorization": "Bearer secret",
	} {
		if got := network.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "999999": time.Hour, "99999999999": 0,
		"Mon, 23 Nov 2026 12:01:30 GMT": 90 * time.Second,
		"Mon, 23 Nov 2026 11:00:00 GMT": 0, "Mon, 23 Nov 2099 11:00:00 GMT": time.Hour,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q is %v, want %v", value, got, want)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(200, `{"data":[{"status":"ok","id":"1"}]}`)
	f.Add(400, `{"errors":[{"code":"PUSH_TOO_MANY_EXPERIENCE_IDS","details":{"@a/b":["ExponentPushToken[a]"]}}]}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		tickets, err := send(t, answers{status: status, body: body}, 1)
		if (err == nil) != (len(tickets) == 1) {
			t.Errorf("%d tickets, error %v", len(tickets), err)
		}
	})
}

// FuzzReceipts has answers of every shape to a request for receipts, with Retry-After
// headers.
func FuzzReceipts(f *testing.F) {
	f.Add(200, `{"data":{"1":{"status":"error","details":{"error":"DeviceNotRegistered"}},"2":{"status":"ok"}}}`, "")
	f.Add(429, `{"errors":[{"code":"TOO_MANY_REQUESTS"}]}`, "30")
	f.Add(503, ``, "Mon, 23 Nov 2026 12:01:30 GMT")
	f.Fuzz(func(t *testing.T, status int, body, after string) {
		c := Client{
			URL: "http://expo.test", Transport: answers{status: status, body: body, header: http.Header{"Retry-After": {after}}},
		}
		receipts, err := c.Receipts(t.Context(), []string{"1", "2"})
		if err != nil && len(receipts) > 0 {
			t.Errorf("%d receipts, error %v", len(receipts), err)
		}
		var refused *Error
		if errors.As(err, &refused) && refused.RetryAfter < 0 {
			t.Errorf("come back %v ago", -refused.RetryAfter)
		}
	})
}

// with runs the test of the i-th input as a subtest, and logs the input if it
// fails. The name is a number, because inputs contain tokens and the names of
// tests are printed.
func with(t *testing.T, i int, input string, test func(t *testing.T)) {
	t.Helper()
	t.Run(strconv.Itoa(i), func(t *testing.T) {
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("the input is %s", input)
			}
		})
		test(t)
	})
}
