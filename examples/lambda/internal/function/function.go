// Package function is the Lambda function that serves package httpapi behind API
// Gateway (REST and HTTP APIs, events of version 1 and 2), a function URL or an
// Application Load Balancer.
//
// It knows nothing of where registrations are kept: package main does, and
// nothing else here imports the AWS SDK.
package function

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
)

// margin is what an invocation keeps of its time to answer, after the store was
// told to stop. On the smallest function, 250 ms is some hundred times what that
// takes; it also has to bear a garbage collection or a slow log.
const margin = 250 * time.Millisecond

// A Function answers invocations. It is safe for concurrent use, though Lambda
// makes one at a time.
type Function struct {
	handler  http.Handler
	basePath string
	warm     atomic.Bool
}

var _ lambda.Handler = (*Function)(nil)

// New returns a function that serves s as cfg says. It writes its log and its
// metrics to w, a line each: Lambda sends standard output to CloudWatch.
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

// An invocation has the facts of one that its request does not have.
type invocation struct {
	functionRequestID string // Lambda's, also in its own REPORT lines
	gatewayRequestID  string // API Gateway's, also in its access log
	coldStart         bool
	basePath          string
	claims            json.RawMessage // as the gateway's authorizer verified them; nil if it has none
}

type invocationKey struct{}

// invocationOf returns the invocation that the context belongs to, nil at start.
func invocationOf(ctx context.Context) *invocation {
	inv, _ := ctx.Value(invocationKey{}).(*invocation)
	return inv
}

// Invoke answers one event. The error is for an event that is no HTTP request or
// comes by a way that is not supported: what the request itself lacks is in the answer.
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
	return event.answer(answer)
}

// withMargin ends the context before Lambda ends the process. An invocation that
// has little time left keeps half of it.
func withMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, deadline.Add(-min(margin, time.Until(deadline)/2)))
}
