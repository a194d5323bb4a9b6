package expo

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/tokens"
)

// answers is a network that answers every request alike.
type answers struct {
	status int
	body   string
	header http.Header
}

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

func send(t *testing.T, a answers, n int) ([]Ticket, error) {
	c := Client{URL: "http://expo.test", HTTP: &http.Client{Transport: a}}
	messages := make([]Message, n)
	for i := range messages {
		messages[i].To = tokens.MustParseToken("ExponentPushToken[a]")
	}
	return c.Send(t.Context(), messages)
}

func TestTickets(t *testing.T) {
	got, err := send(t, answers{status: 200, body: `{"data":[
		{"status":"ok","id":"1"},
		{"status":"error","message":"\"ExponentPushToken[a]\" is gone","details":{"error":"DeviceNotRegistered","expoPushToken":"ExponentPushToken[a]"}},
		{"status":"error","message":"no details"},
		{"status":"error","details":"a text"},
		{"status":"error","details":{"error":"ExponentPushToken[a] is gone"}}]}`}, 5)
	want := []Ticket{{ID: "1"}, {Error: DeviceNotRegistered}, {Error: "unknown"}, {Error: "unknown"}, {Error: "unknown"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// taken is a network that keeps the last request.
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

// What goes out is compressed, and is what Expo documents.
func TestRequest(t *testing.T) {
	network := &taken{answers: answers{status: 200, body: `{"data":[{"status":"ok","id":"1"}]}`}}
	c := Client{URL: "http://expo.test", AccessToken: "secret", HTTP: &http.Client{Transport: network}}
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

// What comes back decides whether to repeat, and no error quotes it.
func TestErrors(t *testing.T) {
	mixed := `{"errors":[{"code":"PUSH_TOO_MANY_EXPERIENCE_IDS","message":"ExponentPushToken[a]","details":{"@acme/app":["ExponentPushToken[a]","x"]}}]}`
	for _, tc := range []struct {
		name      string
		answer    answers
		temporary bool
		text      string
	}{
		{"rate", answers{status: 429, body: `{"errors":[{"code":"TOO_MANY_REQUESTS"}]}`}, true, "expo answered 429 TOO_MANY_REQUESTS"},
		{"fault", answers{status: 502, body: `<html>ExponentPushToken[a]`}, true, "expo answered 502 "},
		{"mixed", answers{status: 400, body: mixed}, false, "expo answered 400 PUSH_TOO_MANY_EXPERIENCE_IDS"},
		{"code that is none", answers{status: 400, body: `{"errors":[{"code":"ExponentPushToken[a]"}]}`}, false, "expo answered 400 unknown"},
		{"too few tickets", answers{status: 200, body: `{"data":[]}`}, false, ErrAnswer.Error() + ": 0 tickets for 1 messages"},
		{"not JSON", answers{status: 200, body: `ExponentPushToken[a]`}, false, ErrAnswer.Error() + ": not the JSON expected"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := send(t, tc.answer, 1)
			if err == nil || err.Error() != tc.text || Temporary(err) != tc.temporary {
				t.Errorf("got %v, temporary %v", err, Temporary(err))
			}
		})
	}
	_, err := send(t, answers{status: 400, body: mixed}, 1)
	var refused *Error
	want := map[string][]tokens.Token{"@acme/app": {tokens.MustParseToken("ExponentPushToken[a]")}}
	if !errors.As(err, &refused) || !refused.Mixed() {
		t.Fatalf("got %v", err)
	}
	if diff := cmp.Diff(want, refused.Projects); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !Temporary(context.DeadlineExceeded) {
		t.Error("a timeout does not pass")
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "999999": 0,
		"Mon, 23 Nov 2026 12:01:30 GMT": 90 * time.Second,
		"Mon, 23 Nov 2026 11:00:00 GMT": 0,
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

// FuzzReceipts has answers of every shape to a request for receipts, and headers
// that say when to come back.
func FuzzReceipts(f *testing.F) {
	f.Add(200, `{"data":{"1":{"status":"error","details":{"error":"DeviceNotRegistered"}},"2":{"status":"ok"}}}`, "")
	f.Add(429, `{"errors":[{"code":"TOO_MANY_REQUESTS"}]}`, "30")
	f.Add(503, ``, "Mon, 23 Nov 2026 12:01:30 GMT")
	f.Fuzz(func(t *testing.T, status int, body, after string) {
		c := Client{URL: "http://expo.test", HTTP: &http.Client{
			Transport: answers{status: status, body: body, header: http.Header{"Retry-After": {after}}},
		}}
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
