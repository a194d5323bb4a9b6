package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/internal/httpexchanges"
	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/store"
)

// TestExchanges checks the response, the event and the log line of each exchange,
// and that none of them contains private text.
func TestExchanges(t *testing.T) {
	for _, e := range httpexchanges.All() {
		t.Run(e.Name, func(t *testing.T) {
			var log bytes.Buffer
			var events []httpapi.Event
			_, resp, err := e.Do(t.Context(), slog.New(slog.NewJSONHandler(&log, nil)),
				func(event httpapi.Event) { events = append(events, event) })
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			checkStatusAndHeader(t, e.Want, resp, len(body))
			checkBody(t, e, resp, body)
			checkEventAndLog(t, e, resp, events, log.Bytes())
			text := string(body) + log.String() + fmt.Sprintf("%+v", events)
			if what := shown(e, resp, text); what != "" {
				t.Errorf("%s is in the response, in the log or in the event:\n%s", what, text)
			}
		})
	}
}

func checkStatusAndHeader(t *testing.T, want httpexchanges.Answer, resp *http.Response, size int) {
	t.Helper()
	if resp.StatusCode != want.Status {
		t.Errorf("status is %d, want %d", resp.StatusCode, want.Status)
	}
	header := map[string]string{
		"Cache-Control":          "no-store",
		"X-Content-Type-Options": "nosniff",
		"X-Request-Id":           resp.Header.Get("X-Request-Id"), // random, or wanted below
	}
	if header["X-Request-Id"] == "" {
		t.Error("the answer has no request id")
	}
	if want.Status != http.StatusNoContent {
		header["Content-Type"] = "application/json"
		if want.Code != "" {
			header["Content-Type"] = "application/problem+json"
		}
		header["Content-Length"] = resp.Header.Get("Content-Length")
		if length := resp.ContentLength; size > 0 && length != int64(size) || length <= 0 {
			t.Errorf("content length is %d, the body has %d bytes", length, size)
		}
	}
	for name, value := range want.Header {
		header[http.CanonicalHeaderKey(name)] = value
	}
	got := map[string]string{}
	for name, values := range resp.Header {
		got[name] = strings.Join(values, " AND ")
	}
	if diff := cmp.Diff(header, got); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
}

type problem struct {
	Title, Code, Detail, RequestID string
	Status                         int
	Errors                         []struct{ Field, Code, Detail string }
}

// validValues is what the detail of each field has to contain in a 422.
var validValues = map[string]string{
	"deviceId":      "Use 1 to 128 characters",
	"expoPushToken": "such as ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx], of at most 255 bytes",
	"platform":      "Use ios or android",
	"projectId":     "Use at most 64 characters",
	"permanent":     "Use true or false",
}

func checkBody(t *testing.T, e httpexchanges.Exchange, resp *http.Response, body []byte) {
	t.Helper()
	if e.Want.Code == "" {
		if diff := cmp.Diff(e.Want.Body, unescapeHTML(body)); diff != "" {
			t.Errorf("body (-want +got):\n%s", diff)
		}
		return
	}
	var p problem
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		t.Fatalf("problem: %v", err)
	}
	var errors []string
	for _, f := range p.Errors {
		errors = append(errors, f.Field+" "+f.Code)
		if p.Status == http.StatusUnprocessableEntity && !strings.Contains(f.Detail, validValues[f.Field]) || f.Detail == "" {
			t.Errorf("the detail of %s %s is %q, want it to contain %q", f.Field, f.Code, f.Detail, validValues[f.Field])
		}
	}
	if p.Code != e.Want.Code || p.Status != e.Want.Status || p.Title == "" || p.Detail == "" {
		t.Errorf("problem is %+v, want %s (%d) with a title and a detail", p, e.Want.Code, e.Want.Status)
	}
	if diff := cmp.Diff(e.Want.Errors, errors); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if id := resp.Header.Get("X-Request-Id"); p.RequestID != id {
		t.Errorf("the problem's request id is %q, the header's %q", p.RequestID, id)
	}
}

// unescapeHTML undoes the escapes that encoding/json adds and JSON does not need.
func unescapeHTML(body []byte) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(body))
}

func checkEventAndLog(t *testing.T, e httpexchanges.Exchange, resp *http.Response, events []httpapi.Event, log []byte) {
	t.Helper()
	if len(events) != 1 {
		t.Fatalf("observed %d events, want one", len(events))
	}
	event := events[0]
	if event.Duration <= 0 || event.StoreDuration < 0 || event.StoreDuration > event.Duration {
		t.Errorf("durations are %v and the store's %v", event.Duration, event.StoreDuration)
	}
	want := httpapi.Event{
		RequestID: resp.Header.Get("X-Request-Id"),
		Route:     httpapi.Path,
		Method:    e.Method,
		Status:    e.Want.Status,
		Outcome:   e.Want.Outcome,
		Problem:   e.Want.Code,
		Moved:     strings.HasPrefix(e.Name, "move"),

		Duration:      event.Duration,
		StoreDuration: event.StoreDuration,
	}
	if strings.Contains(e.Name, "evict") {
		want.Evicted = 1
	}
	if e.Want.Status == http.StatusNotFound {
		want.Route = ""
	}
	if event.StoreDuration > 0 || strings.Contains(e.Name, "store ") {
		want.Operation = map[string]store.Operation{
			"POST": store.OpRegister, "GET": store.OpList, "HEAD": store.OpList, "DELETE": store.OpDeactivate,
		}[e.Method]
		if strings.Contains(e.Target, "permanent=true") {
			want.Operation = store.OpDelete
		}
	}
	if e.Method == "ecHO" {
		want.Method = "_OTHER"
	}
	if diff := cmp.Diff(want, event); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}

	var line map[string]any
	decoder := json.NewDecoder(bytes.NewReader(log))
	if err := decoder.Decode(&line); err != nil {
		t.Fatal(err)
	}
	if decoder.More() {
		t.Errorf("more than one log line:\n%s", log)
	}
	level := slog.LevelInfo
	switch {
	case e.Want.Outcome == store.Failed, e.Want.Outcome == store.Misconfigured:
		level = slog.LevelError
	case e.Want.Outcome == store.TryAgain, e.Want.Status == http.StatusForbidden:
		level = slog.LevelWarn
	}
	wantLine := map[string]any{
		"level": level.String(), "msg": "request", "request_id": want.RequestID, "method": want.Method, "route": want.Route,
		"status": float64(want.Status), "operation": string(want.Operation), "outcome": string(want.Outcome),
		"duration": float64(event.Duration), "store_duration": float64(event.StoreDuration),
		"time": line["time"],
	}
	if want.Moved {
		wantLine["moved"] = true
	}
	if want.Evicted > 0 {
		wantLine["evicted"] = float64(want.Evicted)
	}
	if want.Problem != "" {
		wantLine["problem"], wantLine["error"] = want.Problem, line["error"]
		if line["error"] == nil {
			t.Error("the log line of a problem has no error")
		}
	}
	if strings.Contains(e.Name, "divides") && line["error"] != "httpapi: panic: runtime error: integer divide by zero" {
		t.Errorf("the error of the runtime is logged as %v", line["error"])
	}
	if _, ok := line["stack"]; ok != (strings.Contains(e.Name, "panics") || strings.Contains(e.Name, "divides")) {
		t.Errorf("log line has a stack: %v", ok)
	}
	delete(line, "stack")
	if diff := cmp.Diff(wantLine, line); diff != "" {
		t.Errorf("log line (-want +got):\n%s", diff)
	}
}

// shown returns a secret of the exchange that its response or the text contains, in any
// encoding, or "".
func shown(e httpexchanges.Exchange, resp *http.Response, text string) string {
	for name, values := range resp.Header {
		text += "\n" + name + ": " + strings.Join(values, "\n")
	}
	var private leak.Trace
	private.Add(httpexchanges.Private()...)
	if what := private.Find(text); what != "" {
		return what
	}
	if e.Want.Code != "" && strings.Contains(text, httpexchanges.Echo) {
		return strconv.Quote(httpexchanges.Echo)
	}
	return ""
}

// TestPrivateIsNoticed checks that TestExchanges notices a secret.
func TestPrivateIsNoticed(t *testing.T) {
	rejected := httpexchanges.Exchange{Want: httpexchanges.Answer{Code: "not_found"}}
	for _, secret := range append(httpexchanges.Private(), httpexchanges.Echo) {
		for what, noticed := range map[string]string{
			"a header":    shown(rejected, &http.Response{Header: http.Header{"Location": {"/" + secret}}}, ""),
			"a log line":  shown(rejected, &http.Response{}, `{"level":"INFO","error":"no `+secret+`"}`),
			"an event":    shown(rejected, &http.Response{}, fmt.Sprintf("%+v", httpapi.Event{Route: "/" + secret})),
			"hexadecimal": shown(rejected, &http.Response{}, fmt.Sprintf("%s %x", secret, secret)),
		} {
			if noticed == "" {
				t.Errorf("%s is not noticed in %s", secret, what)
			}
		}
	}
}
