package function

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/lambda/internal/standin"
	"github.com/devicetokens/devicetokens/internal/httpexchanges"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
)

// The answers through a gateway of each kind are those of the handler alone.
func TestExchanges(t *testing.T) {
	for kind, front := range map[string]func(standin.Gateway) http.Handler{
		"REST": standin.Gateway.REST,
		"HTTP": standin.Gateway.HTTP,
	} {
		compared := 0
		for _, e := range httpexchanges.All() {
			if e.Store != nil || e.Authenticate != nil || e.Context != nil || e.Size != 0 {
				continue // of the handler alone, or not in an event
			}
			if slices.ContainsFunc(lost[kind], func(name string) bool { return strings.HasPrefix(e.Name, name) }) {
				continue
			}
			compared++
			t.Run(kind+"/"+e.Name, func(t *testing.T) {
				r, direct, err := e.Do(t.Context(), slog.New(slog.DiscardHandler), nil)
				if err != nil {
					t.Fatal(err)
				}
				s := memstore.MustNew(store.Policy{Now: func() time.Time { return httpexchanges.Now }})
				for _, req := range e.Given {
					if _, err := s.Register(t.Context(), req); err != nil {
						t.Fatal(err)
					}
				}
				f := newFunction(t, Config{Stage: "test", Authenticate: claimsUser}, s, io.Discard)
				recorder := httptest.NewRecorder()
				front(standin.Gateway{
					Invoke: func(ctx context.Context, event []byte) ([]byte, error) {
						lc := &lambdacontext.LambdaContext{AwsRequestID: strings.Repeat("f", 26)} // as long as a random one
						return f.Invoke(lambdacontext.NewContext(ctx, lc), event)
					},
					Authorize: func(*http.Request) (map[string]string, bool) {
						return map[string]string{"sub": httpexchanges.Alice}, true
					},
				}).ServeHTTP(recorder, r)
				if diff := cmp.Diff(seen(t, direct), seen(t, recorder.Result())); diff != "" {
					t.Errorf("answer (-handler +function):\n%s", diff)
				}
			})
		}
		if compared < 50 {
			t.Errorf("%d exchanges, want more", compared)
		}
	}
}

// lost are the beginnings of the names of exchanges whose requests a gateway changes: a
// body that is not UTF-8 in a text event, the query in REST and the path in HTTP events,
// which are decoded.
var lost = map[string][]string{
	"REST": {"body: invalid UTF-8", "query: a bad percent-encoding", "query: a device that is not UTF-8", "query: a semicolon"},
	"HTTP": {"body: invalid UTF-8", "an escaped slash"},
}

var randomID = regexp.MustCompile(`"requestId":"[A-Za-z0-9]{26}"`)

type view struct {
	Status int
	Header http.Header
	Body   string
}

// seen returns an answer without random ids and without its length.
func seen(t *testing.T, resp *http.Response) view {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	v := view{resp.StatusCode, maps.Clone(resp.Header), randomID.ReplaceAllString(string(body), `"requestId":"ID"`)}
	v.Header.Del("Content-Length")
	if id := v.Header.Get("X-Request-Id"); len(id) == 26 {
		v.Header.Set("X-Request-Id", "ID")
	}
	return v
}
