// Package httpexchanges is a table of requests to package httpapi with the expected
// responses. The tests of httpapi compare the handler with it. The tests of
// internal/openapi compare the requests and the responses with openapi.yaml.
package httpexchanges

import (
	"context"
	"io"
	"log/slog"
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
	secret = "s3cr3tt0k3n" // is in every token of the table except bare
	bare   = "s3cr3tt0-k3n0-AbCd-1234-567890abcdef"
)

// Echo is in every part of a rejected request, and in no random request id. Neither the
// response nor the log line may contain it.
const Echo = "ecHO"

// Private returns texts that no response and no log line may contain: parts of the
// tokens and the user ids.
func Private() []string { return []string{secret, bare, user} }

// Now is the time of all exchanges.
var Now = time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)

// An Exchange is one request, its preconditions, and the expected response.
type Exchange struct {
	Name string

	Method string
	Target string            // "" is httpapi.Path
	Header map[string]string // besides Content-Type: application/json of a POST; "" removes one
	Body   string
	Size   int64 // the Content-Length; 0 is the true one, -1 is unknown (chunked)

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
	Header  map[string]string // besides those of every response
	Body    string            // of a success
	Code    string            // of a problem
	Errors  []string          // of a problem: "deviceId too_long"
	Outcome store.Outcome     // as observed
}

// Do runs the exchange on a new handler, with that logger and observer. It returns a
// copy of the request, whose body is unread, and the response.
func (e Exchange) Do(ctx context.Context, logger *slog.Logger, observe func(httpapi.Event)) (*http.Request, *http.Response, error) {
	var s store.Store = memstore.MustNew(store.Policy{MaxDevices: 3, Now: func() time.Time { return Now }})
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
	r.Header.Set("Authorization", "Bearer "+Echo)
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

// All returns the whole table.
func All() []Exchange {
	return slices.Concat(successes(), refusedBodies(), refusedValues(), refusedQueries(), refusedRequests(), failures())
}

const (
	token      = "ExponentPushToken[" + secret + "]"
	respelled  = "ExpoPushToken[" + secret + "]"
	otherToken = "ExponentPushToken[" + secret + "2]"

	valid = `{"deviceId":"phone","expoPushToken":"` + token + `","platform":"ios"}`
)

func post(name, body string, want Answer) Exchange {
	return Exchange{Name: name, Method: http.MethodPost, Body: body, Want: want}
}

// body returns a body that differs from the valid one in its device or token.
func body(device, token string) string {
	return `{"deviceId":"` + device + `","expoPushToken":"` + token + `","platform":"ios"}`
}

func registered(owner tokens.UserID, device tokens.DeviceID, token string) tokens.Request {
	return tokens.Request{
		Key:      tokens.Key{UserID: owner, DeviceID: device},
		Token:    tokens.MustParseToken(token),
		Platform: tokens.IOS,
	}
}

// answered is a registration in a response, created and refreshed at Now.
func answered(device, platform string) string {
	return `{"deviceId":"` + device + `","platform":"` + platform + `",` + answeredTimes + `}`
}

const answeredTimes = `"registeredAt":"2026-11-23T09:00:00.000Z",` +
	`"updatedAt":"2026-11-23T09:00:00.000Z","expiresAt":"2027-02-21T09:00:00.000Z"`
