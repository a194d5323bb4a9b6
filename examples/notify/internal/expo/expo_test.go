package expo

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/tokens"
)

var token = tokens.MustParseToken("ExponentPushToken[a]")

// A network gives every request the same answer and records the last one.
type network struct {
	status int
	body   string
	after  string // the Retry-After header

	requests int
	header   http.Header
	message  map[string]any // the first of a request to send
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	unzipped, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	var sent []map[string]any
	if err := json.NewDecoder(unzipped).Decode(&sent); err == nil {
		n.message = sent[0]
	}
	n.requests++
	n.header = r.Header
	header := http.Header{"Retry-After": {n.after}, "Location": {"http://other.test"}}
	return &http.Response{StatusCode: n.status, Header: header, Body: io.NopCloser(strings.NewReader(n.body))}, nil
}

func (n *network) client() *Client {
	return &Client{URL: "http://expo.test", AccessToken: "secret", Transport: n}
}

func (n *network) send(t *testing.T, messages int) ([]Ticket, error) {
	all := make([]Message, messages)
	for i := range all {
		all[i] = Message{To: token, Content: Content{Title: "Hello"}, Data: map[string]any{"recipient": "alice"}}
	}
	return n.client().Send(t.Context(), all)
}

// A member of a ticket that is null or of another type counts as missing, and the next
// ticket is read all the same.
func TestTickets(t *testing.T) {
	for _, tc := range []struct {
		ticket string
		want   Ticket
	}{
		{`{"status":"ok","id":"1","details":null,"new":[]}`, Ticket{ID: "1"}},
		{`{"status":"ok"}`, Ticket{}},
		{`{"status":"ok","id":null}`, Ticket{}},
		{`{"status":"ok","id":""}`, Ticket{}},
		{`{"status":"ok","id":7}`, Ticket{}},
		{`{"status":"ok","id":["1"]}`, Ticket{}},
		{`{"status":"ok","id":"a b"}`, Ticket{}},
		{`{"status":"ok","id":"` + strings.Repeat("x", 129) + `"}`, Ticket{}},
		{`{"status":"error","message":"\"ExponentPushToken[a]\" is gone","details":{"error":"DeviceNotRegistered"}}`, Ticket{Error: DeviceNotRegistered}},
		{`{"status":"error","id":"1","details":{"error":"InvalidCredentials","fault":"developer"}}`, Ticket{Error: "InvalidCredentials"}},
		{`{"status":"error","message":"no details"}`, Ticket{Error: Unknown}},
		{`{"status":"error","details":["DeviceNotRegistered"]}`, Ticket{Error: Unknown}},
		{`{"status":"error","details":{"error":["DeviceNotRegistered"]}}`, Ticket{Error: Unknown}},
		{`{"status":"error","details":{"error":"ExponentPushToken[a] is gone"}}`, Ticket{Error: Unknown}},
		{`{"status":["ok"],"id":"1"}`, Ticket{Error: Unknown}},
		{`{}`, Ticket{Error: Unknown}},
		{`null`, Ticket{Error: NoTicket}},
		{`"ok"`, Ticket{Error: NoTicket}},
		{`[{"status":"ok","id":"1"}]`, Ticket{Error: NoTicket}},
	} {
		n := network{status: 200, body: `{"data":[` + tc.ticket + `,{"status":"ok","id":"2"}]}`}
		got, err := n.send(t, 2)
		if diff := cmp.Diff([]Ticket{tc.want, {ID: "2"}}, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", tc.ticket, err, diff)
		}
	}
	n := network{status: 200, body: `{"data":{"status":"ok","id":"1"}}`}
	if tickets, err := n.send(t, 1); err != nil || tickets[0].ID != "1" {
		t.Errorf("one ticket for one message: %v, %v", tickets, err)
	}
}

// The action and the error text for each kind of answer to a whole request. No redirect
// is followed.
func TestAnswers(t *testing.T) {
	const two = `[{"status":"ok","id":"1"},{"status":"ok","id":"2"}]`
	const mixed = `{"code":"PUSH_TOO_MANY_EXPERIENCE_IDS","message":"ExponentPushToken[a]","details":{"@acme/app":["ExponentPushToken[a]","x",7,null],"b":"c"}}`
	for _, tc := range []struct {
		status int
		body   string
		action Action
		says   string // after "expo answered STATUS "; "" is two tickets
	}{
		{200, `{"data":` + two + `}`, 0, ""},
		{200, `{"data":` + two + `,"errors":[{"code":"UNAUTHORIZED"}]}`, 0, ""}, // they were taken
		{200, `{"data":[]}`, 0, ErrTickets.Error()},
		{200, `{"data":[],"errors":[]}`, 0, ErrTickets.Error()},
		{200, `{"data":[],"errors":null}`, 0, ErrTickets.Error()},
		{200, `{"data":[{"status":"ok","id":"1"}]}`, 0, ErrTickets.Error()},
		{200, `{"data":[null,null,null]}`, 0, ErrTickets.Error()},
		{200, `{"data":{"status":"ok","id":"1"}}`, 0, ErrAnswer.Error()},
		{200, `{"data":null}`, 0, ErrAnswer.Error()},
		{200, `{"data":"ok"}`, 0, ErrAnswer.Error()},
		{200, `{}`, 0, ErrAnswer.Error()},
		{200, two, 0, ErrAnswer.Error()},
		{200, `<html>ExponentPushToken[a]`, 0, ErrAnswer.Error()},
		{204, ``, 0, ErrAnswer.Error()},
		{202, `{"data":` + two + `}`, 0, ErrAnswer.Error()},

		{200, `{"errors":[{"code":"VALIDATION_ERROR"}]}`, Narrow, "VALIDATION_ERROR"},
		{200, `{"data":[],"errors":[{"code":"UNAUTHORIZED"}]}`, Narrow, "UNAUTHORIZED"},
		{200, `{"errors":[` + mixed + `]}`, Narrow, "PUSH_TOO_MANY_EXPERIENCE_IDS"},
		{200, `{"errors":[{"code":"TOO_MANY_REQUESTS"}]}`, Repeat, "TOO_MANY_REQUESTS"},
		{200, `{"errors":[{"code":"INTERNAL_SERVER_ERROR"}]}`, Repeat, "INTERNAL_SERVER_ERROR"},
		{200, `{"errors":[{}]}`, Narrow, "unknown"},
		{200, `{"errors":{"code":"UNAUTHORIZED"}}`, Narrow, "UNAUTHORIZED"},
		{200, `{"errors":[null,"x",{"code":7},{"code":"UNAUTHORIZED"}]}`, Narrow, "UNAUTHORIZED"},
		{200, `{"errors":"no"}`, Narrow, "unknown"},

		{301, ``, Stop, ""},
		{307, `{"errors":[{"code":"MOVED"}]}`, Stop, "MOVED"},
		{308, `{"errors":[{"code":"TOO_MANY_REQUESTS"}]}`, Stop, "TOO_MANY_REQUESTS"},
		{400, `{"errors":[` + mixed + `]}`, Narrow, "PUSH_TOO_MANY_EXPERIENCE_IDS"},
		{400, `{"errors":[{"code":"PUSH_TOO_MANY_NOTIFICATIONS"}]}`, Narrow, "PUSH_TOO_MANY_NOTIFICATIONS"},
		{400, `{"errors":[{"code":"ExponentPushToken[a]"}]}`, Narrow, "unknown"},
		{401, `{"error":"invalid_token"}`, Narrow, ""},
		{403, `{"errors":[{"code":"UNAUTHORIZED"}]}`, Narrow, "UNAUTHORIZED"},
		{404, `<html>`, Narrow, ""},
		{408, ``, Repeat, ""},
		{425, ``, Repeat, ""},
		{429, `{"errors":[{"code":"NEW_CODE"}]}`, Repeat, "NEW_CODE"},
		{500, `{"errors":[{"code":"INTERNAL_SERVER_ERROR"}]}`, Repeat, "INTERNAL_SERVER_ERROR"},
		{500, `{"errors":[{"code":"VALIDATION_ERROR"}]}`, Narrow, "VALIDATION_ERROR"},
		{502, `<html>ExponentPushToken[a]`, Repeat, ""},
	} {
		n := network{status: tc.status, body: tc.body}
		tickets, err := n.send(t, 2)
		var refused *Error
		isRefused, isRight := errors.As(err, &refused), err == nil && len(tickets) == 2
		switch {
		case tc.action != 0:
			isRight = isRefused && refused.Action() == tc.action && err.Error() == fmt.Sprintf("expo answered %d %s", tc.status, tc.says)
		case tc.says != "":
			isRight = !isRefused && err != nil && err.Error() == tc.says
		}
		if !isRight || n.requests != 1 {
			t.Errorf("%d %s: %d tickets, %v after %d requests, want %s with the action %d", tc.status, tc.body, len(tickets), err, n.requests, tc.says, tc.action)
		} else if strings.Contains(tc.body, "EXPERIENCE_IDS") {
			if diff := cmp.Diff(map[string][]tokens.Token{"@acme/app": {token}}, refused.Projects); diff != "" {
				t.Errorf("projects (-want +got):\n%s", diff)
			}
		}
	}
}

// The same for answers to a request for two receipts.
func TestReceipts(t *testing.T) {
	fine, unknown := map[string]Receipt{"a": {}}, map[string]Receipt{"a": {}, "b": {Error: Unknown}}
	for _, tc := range []struct {
		data string
		want map[string]Receipt // nil is an error
	}{
		{`{"a":{"status":"ok"},"b":{"status":"error","details":{"error":"DeviceNotRegistered"}}}`, map[string]Receipt{"a": {}, "b": {Error: DeviceNotRegistered}}},
		{`{"a":{"status":"ok"},"b":null}`, fine},
		{`{"a":{"status":"ok"},"c":{"status":"error"}}`, fine},
		{`{"a":{"status":"ok"},"b":"gone"}`, unknown},
		{`{"a":{"status":"ok"},"b":[{"status":"ok"}]}`, unknown},
		{`{}`, map[string]Receipt{}},
		{`[]`, map[string]Receipt{}}, // an empty map, in some languages
		{`[{"status":"ok"},{"status":"ok"}]`, nil},
		{`null`, nil},
		{`"no"`, nil},
	} {
		n := network{status: 200, body: `{"data":` + tc.data + `}`}
		got, err := n.client().Receipts(t.Context(), []string{"a", "b"})
		if diff := cmp.Diff(tc.want, got); diff != "" || (err != nil) != (tc.want == nil) || err != nil && !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v (-want +got):\n%s", tc.data, err, diff)
		}
	}
	n := network{status: 200, body: `{"errors":[{"code":"PUSH_TOO_MANY_RECEIPTS"}]}`}
	var refused *Error
	if _, err := n.client().Receipts(t.Context(), []string{"a"}); !errors.As(err, &refused) || refused.Action() != Narrow {
		t.Errorf("got %v", err)
	}
}

// The action for each code that Expo documents for tickets and receipts, and the reason
// for a refusal without a code.
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
	for want, e := range map[string]*Error{"HTTP 404": {Status: 404}, "UNAUTHORIZED": {Status: 401, Code: "UNAUTHORIZED"}} {
		if got := e.Reason(); got != want {
			t.Errorf("the reason is %q, want %q", got, want)
		}
	}
}

func TestCheckURL(t *testing.T) {
	for address, fine := range map[string]bool{
		DefaultURL: true, "https://push.example": true, "http://localhost:8080/x": true, "http://LOCALHOST": true,
		"http://127.8.9.1": true, "http://[::1]:80": true,
		"http://exp.host": false, "http://localhost.example": false, "http://127.0.0.1.example": false,
		"http://0.0.0.0": false, "http://[::]": false, "http://localhost@exp.host": false,
		"https://user:password@exp.host": false, "https://exp.host?a=b": false, "https://exp.host#a": false,
		"ftp://localhost": false, "exp.host": false, "": false, "https://:443": false, "//exp.host": false,
	} {
		if err := CheckURL(address); (err == nil) != fine {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// Requests are compressed and have the documented form.
func TestRequest(t *testing.T) {
	n := network{status: 200, body: `{"data":[{"status":"ok","id":"1"}]}`}
	if _, err := n.send(t, 1); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"to": "ExponentPushToken[a]", "title": "Hello", "data": map[string]any{"recipient": "alice"}}
	if diff := cmp.Diff(want, n.message); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"Content-Encoding": "gzip", "Content-Type": "application/json", "Authorization": "Bearer secret",
	} {
		if got := n.header.Get(name); got != want {
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
	f.Add(200, `{"data":[{"status":"ok","id":"1"}]}`, "")
	f.Add(200, `{"data":{"1":{"status":"error","details":{"error":"DeviceNotRegistered"}},"2":{"status":"ok"}}}`, "")
	f.Add(400, `{"errors":[{"code":"PUSH_TOO_MANY_EXPERIENCE_IDS","details":{"@a/b":["ExponentPushToken[a]"]}}]}`, "")
	f.Add(429, `{"errors":[{"code":"TOO_MANY_REQUESTS"}]}`, "30")
	f.Add(503, ``, "Mon, 23 Nov 2026 12:01:30 GMT")
	f.Fuzz(func(t *testing.T, status int, body, after string) {
		n := network{status: status, body: body, after: after}
		tickets, err := n.send(t, 1)
		if (err == nil) != (len(tickets) == 1) {
			t.Errorf("%d tickets, error %v", len(tickets), err)
		}
		receipts, err := n.client().Receipts(t.Context(), []string{"1", "2"})
		if err != nil && len(receipts) > 0 || RetryAfter(err) < 0 {
			t.Errorf("%d receipts, error %v, retry after %v", len(receipts), err, RetryAfter(err))
		}
	})
}
