// Package function is the Lambda function that serves package httpapi behind API
// Gateway (REST and HTTP APIs, events of version 1 and 2) or a function URL.
//
// It works with any store. Package main chooses the store and imports the AWS SDK.
package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// margin is the time that an invocation reserves for the response after it cancels
// the store's context: about a hundred times the usual time on the smallest function.
const margin = 250 * time.Millisecond

// A Function handles invocations. It is safe for concurrent use, although Lambda
// makes one at a time.
type Function struct {
	handler  http.Handler
	basePath string
	warm     atomic.Bool
}

var _ lambda.Handler = (*Function)(nil)

// New returns a function that serves s with the settings of cfg. It writes one line
// of log and one of metrics for each request to w. Lambda sends standard output to
// CloudWatch.
func New(cfg Config, s store.Store, w io.Writer) (*Function, error) {
	handler, err := httpapi.New(s, cfg.Authenticate, httpapi.Options{
		Logger:  NewLogger(w, cfg.LogLevel),
		Observe: metrics{stage: cfg.Stage, w: w, now: time.Now}.observe,
	})
	if err != nil {
		return nil, err
	}
	return &Function{basePath: cfg.BasePath, handler: handler}, nil
}

// An invocation has data of an event that its HTTP request does not have.
type invocation struct {
	functionRequestID string // Lambda's id, also in its REPORT lines
	gatewayRequestID  string // API Gateway's id, also in its access log
	coldStart         bool
	basePath          string
	claims            json.RawMessage // as the gateway's authorizer verified them; nil if it has none
}

type invocationKey struct{}

// invocationOf returns the invocation of the context, and nil during startup.
func invocationOf(ctx context.Context) *invocation {
	inv, _ := ctx.Value(invocationKey{}).(*invocation)
	return inv
}

// Invoke handles one event and returns the response. The error means that the event is
// not an HTTP request of a supported source.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	inv := &invocation{coldStart: !f.warm.Swap(true), basePath: f.basePath}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		inv.functionRequestID = lc.AwsRequestID
	}
	ctx, cancel := withMargin(context.WithValue(ctx, invocationKey{}, inv))
	defer cancel()
	event, err := parseEvent(payload)
	if err != nil {
		return nil, err
	}
	r, err := event.request(ctx, inv)
	if err != nil {
		return nil, err
	}
	answer := &answer{header: http.Header{}}
	f.handler.ServeHTTP(answer, r)
	answer.header.Del("Content-Length") // the gateway counts the bytes that it sends itself
	return event.answer(answer)
}

// withMargin ends the context before Lambda ends the process. If less than twice the
// margin is left, it reserves half of the time.
func withMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, deadline.Add(-min(margin, time.Until(deadline)/2)))
}

// claimsUser is the [httpapi.Authenticator] behind a gateway with an authorizer that
// verifies tokens: a Cognito authorizer of a REST API, or a JWT authorizer of an HTTP
// API. The user is the claim sub. Other claims are ignored.
//
// A request without claims came by a route without such an authorizer. The error is
// then not ErrUnauthenticated, because with a 401 the app would log its user out.
func claimsUser(r *http.Request) (tokens.UserID, error) {
	claims := invocationOf(r.Context()).claims
	sub := text(object(claims)["sub"])
	switch {
	case sub == "":
		return "", errors.New("the event has no claim sub: add an authorizer to the route. " +
			"A function URL has no authorizer: set " + envAuth + " to oidc there")
	case !jsontext.Value(claims).IsValid(jsontext.AllowDuplicateNames(true)), strings.ContainsRune(sub, '\ufffd'):
		// encoding/json or the gateway has replaced an invalid character by U+FFFD,
		// so two users could have the same id.
		return "", fmt.Errorf("%w: the claims are not Unicode", httpapi.ErrUnauthenticated)
	}
	return tokens.UserID(sub), nil
}
