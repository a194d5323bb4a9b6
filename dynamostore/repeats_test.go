package dynamostore_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// losing is a transport that loses the answer to the first request for an operation.
// It calls between before the SDK repeats the request.
type losing struct {
	operation string
	between   func()
	lost      bool
}

func (l *losing) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || l.lost || dynamotest.Operation(r) != l.operation {
		return resp, err
	}
	l.lost = true
	resp.Body.Close()
	l.between()
	return nil, errors.New("read tcp: connection reset by peer")
}

// TestRepeatAfterLostAnswer loses the answer to a write that was applied. The SDK's
// repeat applies a single write again, over any change in between, unless its condition
// prevents it. A transaction is applied once, because its repeat has the same
// idempotency token.
func TestRepeatAfterLostAnswer(t *testing.T) {
	const single, transaction = "UpdateItem", "TransactWriteItems"
	aliceHasA, bobHasA := has(alice, tokenA), has(bob, tokenA)
	holds := func(w *world) { w.holds(alice, tokenA) }
	for _, tt := range []struct {
		name      string
		given     func(*world)
		operation string
		call      store.Operation
		between   func(*world)
		outcome   store.Outcome
		then      func(*world)
	}{
		{"refresh", both(aliceHasA, later(time.Hour)), single, store.OpRegister, nothing, store.Refreshed, holds},
		{"refresh undoes a logout", aliceHasA, single, store.OpRegister, loggedOut(alice), store.Refreshed, hasStatus(alice, tokens.Active)},
		{"refresh undoes a move", aliceHasA, single, store.OpRegister, bobHasA, store.Created, both(holds, isEmpty(bob))},
		{"refresh undoes a replacement", aliceHasA, single, store.OpRegister, has(alice, tokenB), store.Replaced, holds},
		{"registration", nothing, transaction, store.OpRegister, nothing, store.Created, holds},
		{"registration keeps a move", nothing, transaction, store.OpRegister, bobHasA, store.Created,
			both(isEmpty(alice), func(w *world) { w.holds(bob, tokenA) })},
		{"registration keeps a logout", nothing, transaction, store.OpRegister, loggedOut(alice), store.Created, hasStatus(alice, tokens.LoggedOut)},
		{"logout undoes a login", aliceHasA, single, store.OpDeactivate, aliceHasA, store.OK, hasStatus(alice, tokens.LoggedOut)},
		{"logout keeps a move", aliceHasA, single, store.OpDeactivate, bobHasA, store.OK, both(isEmpty(alice), hasStatus(bob, tokens.Active))},
		{"invalidation keeps a refresh", both(aliceHasA, later(time.Hour)), single, store.OpInvalidate, aliceHasA, store.OK, hasStatus(alice, tokens.Active)},
		{"erasure keeps a registration", aliceHasA, transaction, store.OpDelete, aliceHasA, store.OK, holds},
		{"erasure of a user keeps a registration", aliceHasA, transaction, store.OpDeleteUser, aliceHasA, store.OK, holds},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, store.Policy{})
			tt.given(w)
			transport := &losing{operation: tt.operation, between: func() { tt.between(w) }}
			var event store.Event
			w.do(methods[tt.call](t.Context(), w.through(transport, &event, dynamotest.Retries)))
			if !transport.lost {
				t.Error("no answer was lost")
			}
			equal(t, "outcome", tt.outcome, event.Outcome)
			w.check()
			tt.then(w)
		})
	}
}
