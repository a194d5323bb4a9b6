package page

import (
	"cmp"
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

// call makes a request as a page of this server does, with more headers as pairs. Host
// and Remote set where it comes to and from.
func call(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:8080"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	r.Host, r.RemoteAddr = cmp.Or(r.Header.Get("Host"), r.Host), cmp.Or(r.Header.Get("Remote"), "127.0.0.1:1234")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestDemo compares how often each phone shows a message after phone 1 was installed
// anew and phone 2 changed hands. The browser's tests play longer journeys.
func TestDemo(t *testing.T) {
	demo := newDemo(t)
	for _, r := range [][3]string{{"alice", "a", phone1}, {"alice", "b", phone1}, {"alice", "c", phone2}, {"bob", "c", phone2}, {"alice", "d", phone3}} {
		body := `{"deviceId":"` + r[1] + `","expoPushToken":"` + r[2] + `","platform":"ios"}`
		if w := call(demo, "POST", httpapi.Path, body, "Authorization", "Bearer "+r[0]); w.Code >= 300 {
			t.Fatalf("status is %d", w.Code)
		}
	}
	w := call(demo, "POST", "/demo/send", `{"to":"alice","phones":{"1":"`+phone1+`","2":"`+phone2+`"},"usual":["`+phone1+`","`+phone1+`","`+phone2+`"]}`)
	const want = `{"ours":{"1":1,"2":0},"title":"` + title + `","usual":{"1":2,"2":1}}` + "\n"
	if got := w.Body.String(); got != want || w.Code != http.StatusOK {
		t.Errorf("status is %d, answer\n%s, want\n%s", w.Code, got, want)
	}
}

func TestDemoRefuses(t *testing.T) {
	if policy := headers["Content-Security-Policy"]; strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy is %q", policy)
	}
	const send = `{"to":"alice","phones":{}}`
	answers(t, newDemo(t), "", []exchange{
		{"the page", "GET", "/", "", nil, 200},
		{"typed into the browser", "GET", "/", "", []string{"Sec-Fetch-Site", "none"}, 200},
		{"localhost", "GET", "/", "", []string{"Host", "localhost:8080"}, 200},
		{"IPv6", "GET", "/", "", []string{"Host", "[::1]:8080"}, 200},
		{"a container", "GET", httpapi.Path, "", []string{"Host", "local:8080", "Authorization", "Bearer alice"}, 200},
		{"a machine of the network", "GET", httpapi.Path, "", []string{"Host", "mac.local:8080", "Authorization", "Bearer alice"}, 200},
		{"its own script", "POST", "/demo/send", send, []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://127.0.0.1:8080"}, 200},
		{"a file", "GET", "/page/page.css", "", nil, 200},
		{"a file, written", "POST", "/page/page.css", "", nil, 405},
		{"rebound, the page", "GET", "/", "", []string{"Host", "rebound.example"}, 421},
		{"rebound, the API", "GET", httpapi.Path, "", []string{"Host", "rebound.example:8080", "Authorization", "Bearer alice"}, 421},
		{"rebound, no such path", "GET", "/nothing", "", []string{"Host", "127.0.0.1.rebound.example"}, 421},
		{"another site", "POST", "/demo/send", send, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"another site, by link", "GET", "/", "", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"another port", "GET", "/page/page.js", "", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"an old browser", "POST", "/demo/send", send, []string{"Origin", "http://127.0.0.1:9090"}, 403},
		{"a sandboxed frame", "POST", "/demo/send", send, []string{"Origin", "null"}, 403},
		{"no JSON", "POST", "/demo/send", "to=alice", nil, 400},
		{"too large", "POST", "/demo/send", `{"to":"` + strings.Repeat("a", 5000) + `"}`, nil, 400},
		{"the API's own answer", "GET", "//v1/device-tokens", "", nil, 404},
	})
}

// An exchange is a request and the status of its answer.
type exchange struct {
	name, method, path, body string
	header                   []string
	want                     int
}

// answers checks statuses and headers, and that no refusal has the secret.
func answers(t *testing.T, h http.Handler, secret string, exchanges []exchange) {
	t.Helper()
	for _, tc := range exchanges {
		t.Run(tc.name, func(t *testing.T) {
			w := call(h, tc.method, tc.path, tc.body, tc.header...)
			if w.Code != tc.want {
				t.Errorf("status is %d, want %d", w.Code, tc.want)
			}
			if secret != "" && tc.want != 200 && strings.Contains(w.Body.String()+w.Header().Get("Location"), secret) {
				t.Error("the answer has the secret in it")
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
