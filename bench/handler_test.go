package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
)

// handlers have a memstore, read the user id from a header and write no log.
var handlers = []struct {
	name string
	open func(store.Store) http.Handler
}{
	{"bare", bare},
	{"httpapi", func(s store.Store) http.Handler {
		return httpapi.MustNew(s, authenticate, httpapi.Options{Logger: slog.New(slog.DiscardHandler)})
	}},
}

// The requests are in an order in which each finds the registrations that it needs.
var requests = []struct {
	name, method string
	body         func(device int) string // nil if there is none
}{
	{"refresh", http.MethodPost, func(device int) string {
		return fmt.Sprintf(`{"deviceId":"%s","expoPushToken":"%s","platform":"ios","projectId":"%s"}`, deviceID(device), token(device), project)
	}},
	{"list-20", http.MethodGet, nil},
}

// newRequest returns the n-th request for a device. body is its body, which a caller may
// read again.
func newRequest(n, device int) (r *http.Request, body *strings.Reader) {
	body = strings.NewReader("")
	if requests[n].body != nil {
		body = strings.NewReader(requests[n].body(device))
	}
	r = httptest.NewRequest(requests[n].method, httpapi.Path, body)
	r.Header.Set("Authorization", "Bearer "+string(userID(0)))
	r.Header.Set("Content-Type", "application/json")
	return r, body
}

// filled returns a handler whose user has twenty devices.
func filled(tb testing.TB, open func(store.Store) http.Handler) http.Handler {
	tb.Helper()
	h := open(memstore.MustNew(store.Policy{Now: clock}))
	for device := range devices {
		r, _ := newRequest(0, device)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusCreated {
			tb.Fatalf("device %d was answered with %d", device, w.Code)
		}
	}
	return h
}

// repeated returns a function that sends the n-th request with as few allocations as
// possible.
func repeated(tb testing.TB, n int, h http.Handler) func() {
	r, body := newRequest(n, 0)
	w := &writer{header: make(http.Header)}
	return func() {
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			tb.Fatal(err)
		}
		clear(w.header)
		w.status, w.wrote = 0, 0
		h.ServeHTTP(w, r)
		if w.status != http.StatusOK || w.wrote == 0 {
			tb.Fatalf("%s was answered with %d and %d bytes", requests[n].name, w.status, w.wrote)
		}
	}
}

type writer struct {
	header        http.Header
	status, wrote int
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) { w.status = status }

func (w *writer) Write(p []byte) (int, error) {
	w.wrote += len(p)
	return len(p), nil
}

func BenchmarkHandler(b *testing.B) {
	for n, request := range requests {
		for _, impl := range handlers {
			b.Run(request.name+"/impl="+impl.name, func(b *testing.B) {
				call := repeated(b, n, filled(b, impl.open))
				b.ReportAllocs()
				for b.Loop() {
					call()
				}
			})
		}
	}
}

func TestHandlerAnswers(t *testing.T) {
	type exchange struct {
		Status      int
		ContentType string
		Body        any
	}
	var seen [2][]exchange
	for i, impl := range handlers {
		h := filled(t, impl.open)
		for n := range requests {
			for device := range 2 * devices { // the second half evicts the first
				r, _ := newRequest(n, device)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				e := exchange{Status: w.Code, ContentType: w.Header().Get("Content-Type")}
				if err := json.Unmarshal(w.Body.Bytes(), &e.Body); err != nil {
					t.Fatalf("%s, %s: %v", impl.name, requests[n].name, err)
				}
				seen[i] = append(seen[i], e)
			}
		}
	}
	if diff := cmp.Diff(seen[0], seen[1]); diff != "" {
		t.Errorf("answers (-bare +httpapi):\n%s", diff)
	}
}

// TestHandlerAllocations limits httpapi to 4.5 times the allocations of the bare handler.
// A refresh makes most of them in the tokens of encoding/json, which show duplicate and
// undeclared members.
func TestHandlerAllocations(t *testing.T) {
	for n, request := range requests {
		var allocations [2]float64
		for i, impl := range handlers {
			allocations[i] = testing.AllocsPerRun(200, repeated(t, n, filled(t, impl.open)))
		}
		t.Logf("%s: %v", request.name, allocations)
		if allocations[1] > 4.5*allocations[0] {
			t.Errorf("%s: %v allocations of the bare handler and httpapi", request.name, allocations)
		}
	}
}
