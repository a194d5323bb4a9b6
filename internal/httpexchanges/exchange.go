// Package httpexchanges is a table of requests to package httpapi with the expected
// responses. The tests of httpapi compare the handler with it. The tests of
// internal/openapi compare the requests and the responses with openapi.yaml.
package httpexchanges

import (
	"context"
	"io"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// The users of the table.
const (
	Alice = user + "-alice"
	Bob   = user + "-bob"
)

const (
	user   = "u-7f3a"      // begins every user id of the table
	secret = "s3cr3tt0k3n" // is in every token of the table but bare
	bare   = "s3cr3tt0-k3n0-AbCd-1234-567890abcdef"
	echo   = "ecHO" // is in every part of a rejected request; no random request id has it
)

// Private returns texts that no response and no log line may contain: parts of the
// tokens and the user ids.
func Private() []string { return []string{secret, bare, user} }

// Echoes returns texts that must be neither in the answer to a refused request,
// nor in its log line.
func Echoes() []string { return []string{echo} }

// Now is what the clock says in all exchanges.
var Now = time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)

// An Exchange is one request, its preconditions, and the expected response.
type Exchange struct {
	Name string

	Method string
	Target string            // "" is httpapi.Path
	Header map[string]string // beside Content-Type: application/json of a POST; "" removes
	Body   string
	Size   int64 // of the body, as the request says; 0 is the true one, -1 is unknown (chunked)

	Given        []tokens.Request              // registered before, in this order
	Authenticate httpapi.Authenticator         // nil names Alice
	Store        func(store.Store) store.Store // nil leaves it as it is
	Context      func(context.Context) context.Context

	Want Answer

	// Blind means that openapi.yaml cannot express the error of the request.
	Blind bool
}

// An Answer is the expected response to a request.
type Answer struct {
	Status  int
	Header  map[string]string // these, beside those that every answer has
	Body    string            // of a success
	Code    string            // of a problem
	Errors  []string          // of a problem: "deviceId too_long"
	Outcome store.Outcome     // as observed
}

// Do runs the exchange on a handler of its own, which logs to logger and is
// observed. It returns the request as it was sent (its body can be read again)
// and the answer.
func (e Exchange) Do(ctx context.Context, logger *slog.Logger, observe func(httpapi.Event)) (*http.Request, *http.Response, error) {
	var s store.Store = memstore.MustNew(store.Policy{Now: func() time.Time { return Now }})
	for _, req := range e.Given {
		if _, err := s.Register(ctx, req); err != nil {
			return nil, nil, err
		}
	}
	if e.Store != nil {
		s = e.Store(s)
	}
	authenticate := e.Authenticate
	if authenticate == nil {
		authenticate = func(*http.Request) (tokens.UserID, error) { return Alice, nil }
	}
	handler := httpapi.MustNew(s, authenticate, httpapi.Options{Logger: logger, Observe: observe})
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, e.request(ctx))
	return e.request(ctx), recorder.Result(), nil
}

func (e Exchange) request(ctx context.Context) *http.Request {
	target := e.Target
	if target == "" {
		target = httpapi.Path
	}
	if e.Context != nil {
		ctx = e.Context(ctx)
	}
	var body io.Reader
	if e.Body != "" || e.Method == http.MethodPost {
		body = strings.NewReader(e.Body)
	}
	r := httptest.NewRequestWithContext(ctx, e.Method, target, body)
	r.Header.Set("Authorization", "Bearer "+echo)
	if e.Size != 0 {
		r.ContentLength = e.Size
	}
	if e.Method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range e.Header {
		if value == "" {
			r.Header.Del(name)
		} else {
			r.Header.Set(name, value)
		}
	}
	return r
}

// All returns the whole table. Names are unique.
func All() []Exchange {
	return slices.Concat(successes(), refusedBodies(), refusedValues(), refusedQueries(), refusedRequests(), failures())
}

const (
	token      = "ExponentPushToken[" + secret + "]"
	respelled  = "ExpoPushToken[" + secret + "]"
	otherToken = "ExponentPushToken[" + secret + "2]"

	// valid is a body that is accepted; bodies that are not differ from it in one point.
	valid = `{"deviceId":"phone","expoPushToken":"` + token + `","platform":"ios"}`
)

func registered(owner tokens.UserID, device tokens.DeviceID, token string) tokens.Request {
	return tokens.Request{
		Key:      tokens.Key{UserID: owner, DeviceID: device},
		Token:    tokens.MustParseToken(token),
		Platform: tokens.IOS,
	}
}

// answered is a registration in an answer, made and refreshed at Now.
func answered(device, platform string) string {
	return `{"deviceId":"` + device + `","platform":"` + platform + `",` + answeredTimes + `}`
}

const answeredTimes = `"registeredAt":"2026-11-23T09:00:00.000Z",` +
	`"updatedAt":"2026-11-23T09:00:00.000Z","expiresAt":"2027-02-21T09:00:00.000Z"`

// inOrder ranges over m by its keys, so that the table is the same each time.
func inOrder[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}
