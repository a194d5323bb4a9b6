package httpapi

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var bodies = []string{
	`{"deviceId":"phone","expoPushToken":"ExpoPushToken[x]","platform":"ios","projectId":"@a/b"}`,
	` { "device\u0049d" : "\ud83d\udcf1\\\"" , "platform" : "" } `,
	`{"deviceId":"\ud83d","platform":"\udcf1\ud83d"}`,
	`{"deviceId":"\\ud83d"}`,
	`{"deviceId":"a","deviceId":"b"}`,
	`{"deviceId":null,"x":[{}]}`,
	`{"deviceId":[[[[{}]]]]}`,
	`{"DeviceID":"a"}`,
	`{"deviceId":"a"} x`,
	"{\"deviceId\":\"a\"} \f",
	"{\"deviceId\":\"a\"}\u00a0",
	`{"deviceId":"a"}}`,
	`{"deviceId":"a" "platform":"b"}`,
	`{,"deviceId":"a"}`,
	`{"deviceId" "a"}`,
	`{"deviceId":"a":"b"}`,
	`{1:"a"}`,
	`{"deviceId":1e999}`,
	`{"deviceId":}`,
	"{\"deviceId\":\"\xff\"}",
	`{"deviceId":"a",}`,
	`{"deviceId":"a\`,
	`{}`, `[]`, `"`, ``, `{`, `{"`, `{"a`, `{"platform"`, `{"platform":`,
}

// FuzzParseRequest compares parseObject with encoding/json, which is laxer. Both decode
// an accepted text to the same members. A text that parseObject rejects as not JSON is
// not valid for encoding/json either. An accepted request is valid.
func FuzzParseRequest(f *testing.F) {
	for _, body := range bodies {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parseObject(data, "deviceId", "expoPushToken", "platform", "projectId")
		if err != nil {
			checkRefusal(t, data, err)
			return
		}
		var want map[string]string
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("accepted, but encoding/json says %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("members (-encoding/json +parseObject):\n%s", diff)
		}
		req, err := parseRequest(data)
		if err != nil {
			checkRejection(t, err)
			return
		}
		if req.Key.UserID != "" {
			t.Error("the user comes from the body")
		}
		req.Key.UserID = "alice"
		if err := req.Validate(); err != nil {
			t.Errorf("accepted: %v", err)
		}
	})
}

// checkRefusal fails unless the problem is one of the kind that encoding/json finds: no
// JSON, no object, or an object with other members.
func checkRefusal(t *testing.T, data []byte, err error) {
	t.Helper()
	p, ok := err.(*problem)
	if !ok || p.Status != http.StatusBadRequest {
		t.Fatalf("error is %v, want a problem of status 400", err)
	}
	var object map[string]json.RawMessage
	want := []*problem{unknownMember, duplicateMember, wrongType, nestedValue, loneSurrogate}
	switch {
	case !utf8.Valid(data):
		want = []*problem{invalidUTF8}
	case !json.Valid(data):
		want = []*problem{invalidJSON, trailingData}
	case json.Unmarshal(data, &object) != nil || object == nil:
		want = []*problem{notAnObject}
	}
	if !slices.ContainsFunc(want, func(w *problem) bool { return w.Code == p.Code }) {
		t.Errorf("problem is %s, want one like %s", p.Code, want[0].Code)
	}
}

// checkRejection fails unless the response to the error is 400 or 422.
func checkRejection(t *testing.T, err error) {
	t.Helper()
	if p, outcome := diagnose(t.Context(), err); outcome != store.Invalid || p.Status != 400 && p.Status != 422 {
		t.Errorf("the response to %v is %d", err, p.Status)
	}
}

func FuzzParseRemoval(f *testing.F) {
	for _, query := range []string{
		"deviceId=a", "deviceId=a&permanent=true", "deviceId=%ff", "deviceId=a;b", "deviceId=a&deviceId=b",
		"permanent=", "permanent=true&permanent=false&deviceId=+", "deviceId=%", "userId=bob&deviceId=%23", "&&=&",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		device, permanent, err := parseRemoval(query)
		if err != nil {
			if device != "" || permanent {
				t.Error("an error, and a result")
			}
			checkRejection(t, err)
			return
		}
		if err := device.Validate(); err != nil {
			t.Errorf("accepted: %v", err)
		}
		values, err := url.ParseQuery(query)
		want := url.Values{tokens.FieldDeviceID: {string(device)}}
		if permanent {
			want.Set(fieldPermanent, "true")
		} else if values.Has(fieldPermanent) {
			want.Set(fieldPermanent, "false")
		}
		got := url.Values{}
		for _, name := range []string{tokens.FieldDeviceID, fieldPermanent} {
			if values.Has(name) {
				got[name] = values[name]
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v, query (-as read +as sent):\n%s", err, diff)
		}
	})
}

// FuzzHandler sends random requests to a handler on a real store. The response has a
// documented status, never 5xx. An error is a complete problem. Neither the response
// nor the log contains the token of the request.
func FuzzHandler(f *testing.F) {
	for _, body := range bodies {
		f.Add("POST", Path, "application/json", []byte(body))
	}
	f.Add("GET", Path, "", []byte(nil))
	f.Add("HEAD", Path, "", []byte(nil))
	f.Add("DELETE", Path+"?deviceId=phone&permanent=true", "", []byte(nil))
	f.Add("DELETE", Path+"?deviceId=%zz", "", []byte(nil))
	f.Add("OPTIONS", "*", "", []byte(nil))
	f.Add("GET", "//v1/../device-tokens", "", []byte(nil))
	f.Add("CONNECT", "example.org:443", "", []byte(nil))
	const inner = "s3cr3tt0k3n"
	f.Fuzz(func(t *testing.T, method, target, contentType string, body []byte) {
		body = bytes.ReplaceAll(body, []byte("[x]"), []byte("["+inner+"]"))
		r, err := http.NewRequestWithContext(t.Context(), method, "http://localhost", bytes.NewReader(body))
		if err != nil {
			return // net/http serves no such method
		}
		if r.URL, err = url.ParseRequestURI(target); err != nil {
			return // nor such a target
		}
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		var log bytes.Buffer
		handler := MustNew(memstore.MustNew(store.Policy{}), func(*http.Request) (tokens.UserID, error) { return "alice", nil },
			Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		checkAnswer(t, recorder.Result(), method)
		if text := recorder.Body.String() + log.String(); strings.Contains(text, inner) {
			t.Errorf("the token is in the response or the log: %s", text)
		}
	})
}

func checkAnswer(t *testing.T, resp *http.Response, method string) {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	switch resp.StatusCode {
	case 200, 201, 204:
		if len(body) > 0 && !json.Valid(body) {
			t.Errorf("not JSON: %q", body)
		}
	case 400, 404, 405, 413, 415, 422:
		var p problem
		err := json.Unmarshal(body, &p)
		if method != http.MethodHead && (err != nil || p.Status != resp.StatusCode || p.Code == "" || p.RequestID == "") {
			t.Errorf("%v: no problem for %d: %q", err, resp.StatusCode, body)
		}
	default:
		t.Errorf("status is %d", resp.StatusCode)
	}
}
