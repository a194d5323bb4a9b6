package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/httpapi"
)

func filled(tb testing.TB, name string) http.Handler {
	tb.Helper()
	now := time.Date(2026, time.November, 23, 9, 26, 53, 589_000_000, time.UTC)
	h, err := Handler(name, func() time.Time { return now })
	if err != nil {
		tb.Fatal(err)
	}
	if err := Register(h, Devices); err != nil {
		tb.Fatal(err)
	}
	return h
}

func BenchmarkHandler(b *testing.B) {
	for _, op := range Operations() {
		for _, name := range Names {
			b.Run(op.Name+"/impl="+name, func(b *testing.B) {
				call := op.Caller(filled(b, name))
				b.ReportAllocs()
				for b.Loop() {
					if err := call(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// An exchange is what a client sees of an answer.
type exchange struct {
	Status      int
	ContentType string
	Body        any
}

func TestSameAnswers(t *testing.T) {
	seen := make(map[string][]exchange)
	for _, name := range Names {
		h := filled(t, name)
		for _, op := range Operations() {
			for device := range 2 * Devices { // the second half evicts the first
				var body string
				if op.Body != nil {
					body = op.Body(device)
				}
				r := httptest.NewRequest(op.Method, httpapi.Path, strings.NewReader(body))
				r.Header.Set("Authorization", "Bearer 7c9e6679-7425-40de-944b-e07fc1f90ae7")
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				e := exchange{Status: w.Code, ContentType: w.Header().Get("Content-Type")}
				if err := json.Unmarshal(w.Body.Bytes(), &e.Body); err != nil {
					t.Fatalf("%s, %s: %v", name, op.Name, err)
				}
				seen[name] = append(seen[name], e)
			}
		}
	}
	if diff := cmp.Diff(seen[Bare], seen[Ours]); diff != "" {
		t.Errorf("answers (-bare +httpapi):\n%s", diff)
	}
}

// maxRatio is how many allocations httpapi may make for each of the bare
// handler's. A refresh makes most of them in the tokens of encoding/json, which
// tell duplicate and undeclared members.
const maxRatio = 4.5

func TestAllocations(t *testing.T) {
	const runs = 200
	for _, op := range Operations() {
		allocations := make(map[string]float64)
		for _, name := range Names {
			call := op.Caller(filled(t, name))
			allocations[name] = testing.AllocsPerRun(runs, func() {
				if err := call(); err != nil {
					t.Fatal(err)
				}
			})
		}
		ratio := allocations[Ours] / allocations[Bare]
		t.Logf("%s: %v allocations, %.3f times the bare handler's", op.Name, allocations, ratio)
		if ratio > maxRatio {
			t.Errorf("%s: %.3f times the allocations of the bare handler, want at most %.2f", op.Name, ratio, maxRatio)
		}
	}
}
