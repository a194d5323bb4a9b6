package page

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	phone1 = "ExponentPushToken[1111111111111111111111]"
	phone2 = "ExponentPushToken[2222222222222222222222]"
	phone3 = "ExponentPushToken[3333333333333333333333]"
)

// newDemo returns a demonstration whose bearer tokens are user ids.
func newDemo(t *testing.T) http.Handler {
	t.Helper()
	s := memstore.MustNew(store.Policy{})
	bearer := func(r *http.Request) (tokens.UserID, error) {
		return tokens.UserID(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")), nil
	}
	return Demo(httpapi.MustNew(s, bearer, httpapi.Options{Logger: slog.New(slog.DiscardHandler)}), s, nil)
}

// call makes a request as a page of this server does, with more headers as pairs.
func call(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:8080"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:1234"
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestDemo plays journeys and compares how often each phone shows the message. The test
// has the rows of the usual table, which the script keeps.
func TestDemo(t *testing.T) {
	for name, tc := range map[string]struct {
		registered  [][3]string // users, devices and tokens
		to          string
		usual       []string
		ours, other [2]int // on each phone, by our table and by the usual one
	}{
		"no phone":        {nil, "alice", nil, [2]int{}, [2]int{}},
		"handed over":     {[][3]string{{"alice", "a", phone1}, {"bob", "a", phone1}}, "alice", []string{phone1}, [2]int{0, 0}, [2]int{1, 0}},
		"to the new user": {[][3]string{{"alice", "a", phone1}, {"bob", "a", phone1}}, "bob", []string{phone1}, [2]int{1, 0}, [2]int{1, 0}},
		"installed anew":  {[][3]string{{"alice", "a", phone1}, {"alice", "b", phone1}}, "alice", []string{phone1, phone1}, [2]int{1, 0}, [2]int{2, 0}},
		"two phones":      {[][3]string{{"alice", "a", phone1}, {"alice", "b", phone2}}, "alice", []string{phone1, phone2}, [2]int{1, 1}, [2]int{1, 1}},
		"another app":     {[][3]string{{"alice", "a", phone3}}, "alice", nil, [2]int{}, [2]int{}},
	} {
		t.Run(name, func(t *testing.T) {
			demo := newDemo(t)
			for _, r := range tc.registered {
				body := `{"deviceId":"` + r[1] + `","expoPushToken":"` + r[2] + `","platform":"ios"}`
				if w := call(demo, "POST", httpapi.Path, body, "Authorization", "Bearer "+r[0]); w.Code >= 300 {
					t.Fatalf("status is %d", w.Code)
				}
			}
			body, err := json.Marshal(sending{To: tokens.UserID(tc.to), Usual: tc.usual, Phones: map[string]string{"1": phone1, "2": phone2}})
			if err != nil {
				t.Fatal(err)
			}
			w := call(demo, "POST", "/demo/send", string(body))
			var got struct{ Ours, Usual map[string]int }
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || strings.Contains(w.Body.String(), "PushToken") {
				t.Fatalf("status is %d, %v, or the answer has a token in it", w.Code, err)
			}
			if ours, other := [2]int{got.Ours["1"], got.Ours["2"]}, [2]int{got.Usual["1"], got.Usual["2"]}; ours != tc.ours || other != tc.other {
				t.Errorf("shown %v and %v, want %v and %v", ours, other, tc.ours, tc.other)
			}
		})
	}
}

func TestDemoRefuses(t *testing.T) {
	demo := newDemo(t)
	const send = `{"to":"alice","phones":{}}`
	for name, tc := range map[string]struct {
		method, path, body string
		header             []string
		want               int
	}{
		"the page":                 {"GET", "/", "", nil, 200},
		"typed into the browser":   {"GET", "/", "", []string{"Sec-Fetch-Site", "none"}, 200},
		"localhost":                {"GET", "/", "", []string{"Host", "localhost:8080"}, 200},
		"IPv6":                     {"GET", "/", "", []string{"Host", "[::1]:8080"}, 200},
		"a container":              {"GET", httpapi.Path, "", []string{"Host", "local:8080", "Authorization", "Bearer alice"}, 200},
		"a machine of the network": {"GET", httpapi.Path, "", []string{"Host", "mac.local:8080", "Authorization", "Bearer alice"}, 200},
		"its own script":           {"POST", "/demo/send", send, []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://127.0.0.1:8080"}, 200},
		"a file":                   {"GET", "/page/page.css", "", nil, 200},
		"a file, written":          {"POST", "/page/page.css", "", nil, 405},
		"rebound, the page":        {"GET", "/", "", []string{"Host", "rebound.example"}, 421},
		"rebound, the API":         {"GET", httpapi.Path, "", []string{"Host", "rebound.example:8080", "Authorization", "Bearer alice"}, 421},
		"rebound, no such path":    {"GET", "/nothing", "", []string{"Host", "127.0.0.1.rebound.example"}, 421},
		"another site":             {"POST", "/demo/send", send, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another site, by link":    {"GET", "/", "", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another port":             {"GET", "/page/page.js", "", []string{"Sec-Fetch-Site", "same-site"}, 403},
		"an old browser":           {"POST", "/demo/send", send, []string{"Origin", "http://127.0.0.1:9090"}, 403},
		"a sandboxed frame":        {"POST", "/demo/send", send, []string{"Origin", "null"}, 403},
		"no JSON":                  {"POST", "/demo/send", "to=alice", nil, 400},
		"too large":                {"POST", "/demo/send", `{"to":"` + strings.Repeat("a", 5000) + `"}`, nil, 400},
		"the API's own answer":     {"GET", "//v1/device-tokens", "", nil, 404},
	} {
		t.Run(name, func(t *testing.T) {
			w := call(demo, tc.method, tc.path, tc.body, tc.header...)
			if w.Code != tc.want {
				t.Errorf("status is %d, want %d", w.Code, tc.want)
			}
			if tc.want == http.StatusMisdirectedRequest || strings.Contains(tc.path, "/v1") {
				return
			}
			for name, want := range headers {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

// TestPolicy checks that no page has script or style that its policy rejects, or an
// address of another host.
func TestPolicy(t *testing.T) {
	if policy := headers["Content-Security-Policy"]; strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy is %q", policy)
	}
	entries, err := files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := files.ReadFile(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		own := strings.ReplaceAll(string(text), `xmlns="http://www.w3.org/2000/svg"`, "")
		for _, refused := range []string{"style=", "onclick", "<style", "javascript:", "http://", "https://", "url(", "@import", "innerHTML", "eval("} {
			if strings.Contains(own, refused) {
				t.Errorf("%s has %q", e.Name(), refused)
			}
		}
	}
}
