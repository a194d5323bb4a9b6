package httpapi_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func alice(*http.Request) (tokens.UserID, error) { return "alice", nil }

func unknown(*http.Request) (tokens.UserID, error) { return "", httpapi.ErrUnauthenticated }

func quiet(opts httpapi.Options) httpapi.Options {
	opts.Logger = slog.New(slog.DiscardHandler)
	return opts
}

func send(t *testing.T, h http.Handler, method, target, body string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func registration(device, token string) string {
	return `{"deviceId":"` + device + `","expoPushToken":"` + token + `","platform":"ios"}`
}

func TestOptions(t *testing.T) {
	unavailable := func(*http.Request) (tokens.UserID, error) { return "", store.ErrTryAgain }
	phone := registration("phone", "ExpoPushToken[x]")
	for _, tc := range []struct {
		name         string
		opts         httpapi.Options
		authenticate httpapi.Authenticator
		target, body string
		status       int
		header       map[string]string
	}{
		{"base path", httpapi.Options{BasePath: "/api/push"}, alice, "/api/push/v1/device-tokens", phone, 201, nil},
		{"base path, not below it", httpapi.Options{BasePath: "/api"}, alice, "/v1/device-tokens", phone, 404, nil},
		{"challenge", httpapi.Options{Challenge: `Bearer realm="push"`}, unknown, httpapi.Path, phone, 401,
			map[string]string{"WWW-Authenticate": `Bearer realm="push"`}},
		{"retry after a minute", httpapi.Options{RetryAfter: time.Minute}, unavailable, httpapi.Path, phone, 503,
			map[string]string{"Retry-After": "60"}},
		{"retry after, rounded up", httpapi.Options{RetryAfter: 1001 * time.Millisecond}, unavailable, httpapi.Path, phone, 503,
			map[string]string{"Retry-After": "2"}},
		{"as much as is allowed", httpapi.Options{MaxBodyBytes: int64(len(phone))}, alice, httpapi.Path, phone, 201, nil},
		{"a byte too much", httpapi.Options{MaxBodyBytes: int64(len(phone)) - 1}, alice, httpapi.Path, phone, 413, nil},
		{"the default", httpapi.Options{}, alice, httpapi.Path, phone + strings.Repeat(" ", 4096-len(phone)), 201, nil},
		{"a byte more than the default", httpapi.Options{}, alice, httpapi.Path, phone + strings.Repeat(" ", 4097-len(phone)), 413, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := httpapi.MustNew(memstore.MustNew(store.Policy{}), tc.authenticate, quiet(tc.opts))
			resp := send(t, h, "POST", tc.target, tc.body)
			if resp.StatusCode != tc.status {
				t.Errorf("status is %d, want %d", resp.StatusCode, tc.status)
			}
			for name, value := range tc.header {
				if got := resp.Header.Get(name); got != value {
					t.Errorf("%s is %q, want %q", name, got, value)
				}
			}
		})
	}
}

// TestBadArguments: the error names each of them, and MustNew panics with it.
func TestBadArguments(t *testing.T) {
	s := memstore.MustNew(store.Policy{})
	const body, retry, path = "Options.MaxBodyBytes", "Options.RetryAfter", "Options.BasePath"
	type options = httpapi.Options
	for _, tc := range []struct {
		s            store.Store
		authenticate httpapi.Authenticator
		opts         options
		want         []string
	}{
		{nil, alice, options{}, []string{"the store"}},
		{s, nil, options{}, []string{"the authenticator"}},
		{s, alice, options{MaxBodyBytes: -1}, []string{body}},
		{s, alice, options{RetryAfter: -1}, []string{retry}},
		{s, alice, options{BasePath: "api"}, []string{path}},
		{s, alice, options{BasePath: "/"}, []string{path}},
		{s, alice, options{BasePath: "/api/"}, []string{path}},
		{s, alice, options{BasePath: "/a/../b"}, []string{path}},
		{s, alice, options{BasePath: "/{stage}"}, []string{path}},
		{s, alice, options{BasePath: "/a b"}, []string{path}},
		{nil, nil, options{MaxBodyBytes: -1, RetryAfter: -1, BasePath: "api"}, []string{"the store", "the authenticator", body, retry, path}},
	} {
		t.Run(strings.Join(tc.want, ", ")+" "+tc.opts.BasePath, func(t *testing.T) {
			h, err := httpapi.New(tc.s, tc.authenticate, tc.opts)
			if h != nil || err == nil {
				t.Fatalf("New returns %v and error %v", h, err)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tc.want) {
				t.Fatalf("error is %q, want %d lines", err, len(tc.want))
			}
			for i, want := range tc.want {
				if !strings.HasPrefix(lines[i], "httpapi: "+want+" is ") {
					t.Errorf("line %q is not about %s", lines[i], want)
				}
			}
			defer func() {
				if v := recover(); v != err.Error() {
					t.Errorf("MustNew panics with %v", v)
				}
			}()
			httpapi.MustNew(tc.s, tc.authenticate, tc.opts)
		})
	}
}

// TestDefaultLogger must not run beside other tests: it replaces the default.
func TestDefaultLogger(t *testing.T) {
	before := slog.Default()
	defer slog.SetDefault(before)
	var log bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	h := httpapi.MustNew(memstore.MustNew(store.Policy{}), alice, httpapi.Options{})
	slog.SetDefault(before)
	send(t, h, "GET", httpapi.Path, "")
	if !strings.Contains(log.String(), "operation=list outcome=ok") {
		t.Errorf("the log of the default logger is %q", &log)
	}
}

// TestRequestIDs: an id of the accepted form is kept, and any other is replaced by
// a new one.
func TestRequestIDs(t *testing.T) {
	h := httpapi.MustNew(memstore.MustNew(store.Policy{}), alice, quiet(httpapi.Options{}))
	seen := map[string]bool{}
	for _, tc := range []struct {
		ids  []string
		kept bool
	}{
		{[]string{"09azAZ-._"}, true}, {[]string{strings.Repeat("a", 64)}, true},
		{[]string{strings.Repeat("a", 65)}, false}, {nil, false}, {[]string{""}, false}, {[]string{"a", "a"}, false},
		{[]string{"a b"}, false}, {[]string{"a/b"}, false}, {[]string{"a:b"}, false}, {[]string{"a@b"}, false}, {[]string{"a[b"}, false},
		{[]string{"a`b"}, false}, {[]string{"a{b"}, false}, {[]string{"é"}, false}, {[]string{"a\x00"}, false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", httpapi.Path, nil)
		r.Header["X-Request-Id"] = tc.ids
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		id := w.Header().Get("X-Request-Id")
		if kept := len(tc.ids) == 1 && id == tc.ids[0]; kept != tc.kept || !kept && (len(id) != 26 || seen[id]) {
			t.Errorf("the request id for %q is %q", tc.ids, id)
		}
		seen[id] = true
	}
}

// TestBodyUnread checks that the body is not read of a request that is not
// authenticated or needs no body.
func TestBodyUnread(t *testing.T) {
	for _, tc := range []struct {
		method, target string
		authenticate   httpapi.Authenticator
		contentType    string
		length         int64
		status         int
	}{
		{"POST", httpapi.Path, unknown, "application/json", -1, 401},
		{"POST", httpapi.Path, alice, "text/plain", -1, 415},
		{"POST", httpapi.Path, alice, "application/json", 1 << 20, 413},
		{"PUT", httpapi.Path, alice, "application/json", -1, 405},
		{"POST", "/", alice, "application/json", -1, 404},
		{"GET", httpapi.Path, alice, "application/json", -1, 200},
		{"DELETE", httpapi.Path + "?deviceId=a", alice, "application/json", -1, 204},
	} {
		r := httptest.NewRequestWithContext(t.Context(), tc.method, tc.target, unreadable{t})
		r.ContentLength = tc.length
		r.Header.Set("Content-Type", tc.contentType)
		w := httptest.NewRecorder()
		httpapi.MustNew(memstore.MustNew(store.Policy{}), tc.authenticate, quiet(httpapi.Options{})).ServeHTTP(w, r)
		if w.Code != tc.status {
			t.Errorf("%s %s: status is %d, want %d", tc.method, tc.target, w.Code, tc.status)
		}
	}
}

type unreadable struct{ *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.Error("the body is read")
	return 0, io.EOF
}

func TestOpenAPI(t *testing.T) {
	document := httpapi.OpenAPI()
	if !bytes.HasPrefix(document, []byte("openapi: 3.1.")) {
		t.Errorf("document begins with %q", document[:20])
	}
	clear(document)
	if diff := cmp.Diff(document, httpapi.OpenAPI()); diff == "" {
		t.Error("a change of the returned document is in the next one")
	}
}
