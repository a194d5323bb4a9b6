package dynamostore_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var (
	none      = dynamotest.Reason{Code: "None"}
	conflict  = dynamotest.Reason{Code: "TransactionConflict"}
	throttled = dynamotest.Reason{Code: "ThrottlingError"}
)

func changed(i dynamotest.Item) dynamotest.Reason {
	return dynamotest.Reason{Code: "ConditionalCheckFailed", Item: i}
}

// TestCancellations cancels the first transaction of a Register, and compares the items of the
// next one. The store uses the item of a failed condition even if another item conflicts.
func TestCancellations(t *testing.T) {
	const releaseOfBobs = "release of bob's claim"
	type reasons = []dynamotest.Reason
	takes := []string{"Put a claim", "Update alice/alices-phone"}
	removesBob, releases := append(takes[:2:2], "Delete bob/bobs-phone"), append(takes[:2:2], "Delete a claim")
	exceeded := dynamotest.Reason{Code: "ProvisionedThroughputExceeded"}
	invalid, unknown := dynamotest.Reason{Code: "ValidationError"}, dynamotest.Reason{Code: "SomethingNew"}
	bobs, replaced := changed(claim(bob)), changed(row(alice, tokenB))
	for _, tt := range []struct {
		name    string
		reasons reasons
		next    []string // items of the next transaction; nil: there is none
		want    error    // if there is none; nil: an error without sentinel
	}{
		// The device has another token, whose claim another device took over.
		{releaseOfBobs, reasons{none, none, bobs}, takes, nil},
		{"claim is bob's", reasons{bobs, none}, removesBob, nil},
		{"claim is bob's, row conflicts", reasons{bobs, conflict}, removesBob, nil},
		{"claim is bob's, row is throttled", reasons{bobs, throttled}, removesBob, nil},
		{"claim is bob's, row exceeds the throughput", reasons{bobs, exceeded}, removesBob, nil},
		{"claim is alice's", reasons{changed(claim(alice)), none}, takes, nil},
		{"claim names no owner", reasons{changed(keyItem(key("#claim#1#", "#"))), none}, takes, nil},
		{"row has another token", reasons{none, replaced}, releases, nil},
		{"claim conflicts, row has another token", reasons{conflict, replaced}, releases, nil},
		{"claim conflicts", reasons{conflict, none}, takes, nil},
		{"claim is throttled", reasons{throttled, none}, takes, nil},
		{"no reason at all", reasons{none, none}, takes, nil},
		{"no code", reasons{{}, replaced}, releases, nil},

		{"invalid", reasons{invalid, none}, nil, nil},
		{"invalid, and changed", reasons{bobs, invalid}, nil, nil},
		{"unknown code", reasons{none, unknown}, nil, nil},
		{"fewer reasons than items", reasons{bobs}, nil, store.ErrTryAgain},
		{"more reasons than items", reasons{none, none, bobs}, nil, store.ErrTryAgain},
		{"no reasons", nil, nil, store.ErrTryAgain},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first, script := takes, []answer{refused(nil), done, canceled(tt.reasons...), wrote}
			if tt.name == releaseOfBobs {
				first, script = releases, []answer{refused(row(alice, tokenB)), canceled(tt.reasons...), wrote}
			}
			recorder := &dynamotest.Recorder{Next: dynamotest.Script(script...)}
			var event store.Event
			result, err := offline(t, recorder, &event).Register(t.Context(), requestFor(alice, tokenA))
			calls := recorder.Calls()
			equal(t, "first transaction", first, calls[len(script)-2].Items)
			if tt.next == nil {
				equal(t, "calls", 3, len(calls))
				sentinels(t, err, tt.want)
				discreet(t, err)
				return
			}
			if err != nil {
				t.Error(err)
			}
			equal(t, "next transaction", tt.next, calls[len(calls)-1].Items)
			movedFrom := tokens.Key{}
			if len(tt.next) == 3 && tt.next[2] == removesBob[2] {
				movedFrom = bob
			}
			equal(t, "MovedFrom", movedFrom, result.MovedFrom)
			equal(t, "Event.Moved", !movedFrom.IsZero(), event.Moved)
		})
	}
}

// TestContentionEnds: a write that is always contended gives up after MaxAttempts, with a
// longer wait after each attempt, or at once when its context ends.
func TestContentionEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		script   []answer
		call     store.Operation
		attempts int           // with the refused refresh
		least    time.Duration // the waits are 2.5 + 5 + 10 + 20 + 40 + 80 + 80 ms, and up to twice that
	}{
		"single write": {[]answer{failure(400, "TransactionConflictException")}, store.OpDeactivate, 8, 237 * time.Millisecond},
		"conflict":     {[]answer{refused(nil), done, canceled(conflict, conflict)}, store.OpRegister, 9, 237 * time.Millisecond},
		"throttled":    {[]answer{refused(nil), done, canceled(throttled, throttled)}, store.OpRegister, 9, 237 * time.Millisecond},
		"always changed": { // there is no wait after the first attempt
			[]answer{refused(nil), done, canceled(changed(claim(bob)), none), canceled(changed(claim(bob)), none, none)},
			store.OpRegister, 9, 157 * time.Millisecond,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				call := func(ctx context.Context) (event store.Event) {
					c := dynamotest.Offline(dynamotest.Script(tt.script...), dynamotest.NoRetries)
					s := dynamotest.Store(t, c, "table", dynamostore.Options{MaxAttempts: 8, Observe: func(e store.Event) { event = e }})
					start := time.Now()
					equal(t, "same error", true, methods[tt.call](ctx, s) == event.Err)
					equal(t, "Event.Duration", time.Since(start), event.Duration)
					return event
				}
				event := call(t.Context())
				tryAgain(t, event.Err)
				equal(t, "attempts", tt.attempts, event.Attempts)
				if waited := event.Duration; waited < tt.least || waited > 2*tt.least+3*time.Millisecond {
					t.Errorf("the waits took %v, want %v to %v", waited, tt.least, 2*tt.least)
				}

				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond) // the first wait takes 2.5 ms or more
				defer cancel()
				event = call(ctx)
				equal(t, "time", time.Millisecond, event.Duration)
				equal(t, "outcome", store.TryAgain, event.Outcome)
				if !errors.Is(event.Err, context.DeadlineExceeded) {
					t.Errorf("the error is %v, want the context's and ErrTryAgain", event.Err)
				}
			})
		})
	}
}
