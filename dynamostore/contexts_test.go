package dynamostore_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
)

// A canceling transport cancels the context of one request, the first being 0:
// before it goes out, or when it was answered.
type canceling struct {
	next     http.RoundTripper
	at       int64
	answered bool
	cancel   context.CancelFunc
	requests atomic.Int64
}

func (c *canceling) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.requests.Add(1)-1 != c.at {
		return c.next.RoundTrip(r)
	}
	if !c.answered {
		c.cancel()
		return nil, context.Canceled
	}
	resp, err := c.next.RoundTrip(r)
	c.cancel()
	return resp, err
}

// TestCanceledAtEachCall ends the context at each call of each path: the error is
// the context's, of a write also ErrTryAgain, the table keeps its invariants, and
// the call succeeds when it is repeated.
func TestCanceledAtEachCall(t *testing.T) {
	client := dynamotest.Client(t, nil)
	for _, p := range paths() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			table := dynamotest.Table(t, client)
			for call := range p.calls {
				for _, answered := range []bool{false, true} {
					w := worldOn(t, client, table, store.Policy{MaxDevices: p.maxDevices})
					p.given(w)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					s := w.through(&canceling{
						next: http.DefaultTransport, at: int64(call), answered: answered, cancel: cancel,
					}, nil)
					err := p.call(ctx, w, s)
					w.look()
					w.intact()
					switch last := call == len(p.calls)-1; {
					case err == nil && answered && last:
						p.then(w)
					case !errors.Is(err, context.Canceled):
						t.Errorf("call %d, answered %v: the error is %v", call+1, answered, err)
					default:
						reads := strings.HasPrefix(p.name, "Get") || strings.HasPrefix(p.name, "List") || strings.HasPrefix(p.name, "Holder")
						if errors.Is(err, store.ErrTryAgain) == reads {
							t.Errorf("call %d, answered %v: the error %v is ErrTryAgain: %v", call+1, answered, err, reads)
						}
						discreet(t, err)
					}
					w.do(p.call(t.Context(), w, w.clean))
					w.look()
					w.intact()
					p.then(w)
					w.clear()
				}
			}
		})
	}
}

// TestEndedDuringACall ends the context in the first call of each method, which
// then fails: the error is the context's. A write may have been applied, so its
// error is also ErrTryAgain; the cause of the failure does not matter.
func TestEndedDuringACall(t *testing.T) {
	for operation, call := range methods {
		t.Run(string(operation), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			s := offline(t, dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
				cancel()
				return dynamotest.Failure(r, 400, "ResourceNotFoundException", ""), nil
			}), nil)
			err := call(ctx, s)
			reads := operation == store.OpGet || operation == store.OpList || operation == store.OpHolder
			if !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrTryAgain) == reads || errors.Is(err, store.ErrMisconfigured) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// TestDoneBefore sends nothing for a context that is done.
func TestDoneBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for operation, call := range methods {
		t.Run(string(operation), func(t *testing.T) {
			var event store.Event
			s := offline(t, dynamotest.Transport(func(*http.Request) (*http.Response, error) {
				t.Error("a request was sent")
				return nil, context.Canceled
			}), func(e store.Event) { event = e })
			err := call(ctx, s)
			if !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrTryAgain) {
				t.Errorf("the error is %v, want the context's alone", err)
			}
			equal(t, "calls", 0, event.Calls)
			equal(t, "outcome", "canceled", event.Outcome)
		})
	}
}

// TestBackoffObeysTheContext ends the context between two tries of a contended
// write: the call returns at that moment, and not when the wait is over.
func TestBackoffObeysTheContext(t *testing.T) {
	tests := map[string]struct {
		script dynamotest.Transport
		call   store.Operation
	}{
		"transaction": {dynamotest.Script(refused(nil), done, canceled(conflict, none)), store.OpRegister},
		"plain write": {dynamotest.Script(func(r *http.Request) *http.Response {
			return dynamotest.Failure(r, 400, "TransactionConflictException", "")
		}), store.OpDeactivate},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var event store.Event
				s := offline(t, tt.script, func(e store.Event) { event = e })
				// The first wait is of 2.5 ms at least.
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				start := time.Now()
				err := methods[tt.call](ctx, s)
				equal(t, "time", time.Millisecond, time.Since(start))
				if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, store.ErrTryAgain) {
					t.Errorf("the error is %v, want the context's and ErrTryAgain", err)
				}
				equal(t, "outcome", store.TryAgain, event.Outcome) // a timeout is worth an alarm
				equal(t, "Event.Duration", time.Millisecond, event.Duration)
			})
		})
	}
}
