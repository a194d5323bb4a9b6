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
	register := func(w *world, s store.Store) (store.Result, error) {
		return s.Register(w.Context(), requestFor(alice, tokenA))
	}
	only := func(call func(*world, store.Store) error) func(*world, store.Store) (store.Result, error) {
		return func(w *world, s store.Store) (store.Result, error) { return store.Result{}, call(w, s) }
	}
	logout := only(func(w *world, s store.Store) error { return s.Deactivate(w.Context(), alice) })
	invalidate := only(func(w *world, s store.Store) error {
		return s.Invalidate(w.Context(), alice, tokenA.Hash(), w.now)
	})
	erase := only(func(w *world, s store.Store) error { return s.Delete(w.Context(), alice) })
	eraseUser := only(func(w *world, s store.Store) error { return s.DeleteUser(w.Context(), "alice") })

	aliceHasA, bobHasA := has(alice, tokenA), has(bob, tokenA)
	holds := func(w *world) { w.holds(alice, tokenA) }
	status := func(key tokens.Key, want tokens.Status) func(*world) {
		return func(w *world) { w.hasStatus(key, want) }
	}
	tests := []struct {
		name      string
		given     func(*world)
		operation string
		call      func(*world, store.Store) (store.Result, error)
		between   func(*world)
		outcome   store.Outcome
		then      func(*world)
	}{
		{"refresh", both(aliceHasA, later(time.Hour)), single, register, nothing, store.Refreshed, holds},
		{"refresh undoes a logout", aliceHasA, single, register, loggedOut(alice), store.Refreshed, status(alice, tokens.Active)},
		{"refresh undoes a move", aliceHasA, single, register, bobHasA, store.Created, both(holds, isEmpty(bob))},
		{"refresh undoes a replacement", aliceHasA, single, register, has(alice, tokenB), store.Replaced, holds},
		{"registration", nothing, transaction, register, nothing, store.Created, holds},
		{"registration keeps a move", nothing, transaction, register, bobHasA, store.Created,
			both(isEmpty(alice), func(w *world) { w.holds(bob, tokenA) })},
		{"registration keeps a logout", nothing, transaction, register, loggedOut(alice), store.Created, status(alice, tokens.LoggedOut)},
		{"logout undoes a login", aliceHasA, single, logout, aliceHasA, "", status(alice, tokens.LoggedOut)},
		{"logout keeps a move", aliceHasA, single, logout, bobHasA, "", both(isEmpty(alice), status(bob, tokens.Active))},
		{"invalidation keeps a refresh", both(aliceHasA, later(time.Hour)), single, invalidate, aliceHasA, "", status(alice, tokens.Active)},
		{"erasure keeps a registration", aliceHasA, transaction, erase, aliceHasA, "", holds},
		{"erasure of a user keeps a registration", aliceHasA, transaction, eraseUser, aliceHasA, "", holds},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, store.Policy{})
			tt.given(w)
			transport := &losing{operation: tt.operation, between: func() { tt.between(w) }}
			result, err := tt.call(w, w.through(transport, nil, dynamotest.Retries))
			w.do(err)
			if !transport.lost {
				t.Error("no answer was lost")
			}
			equal(t, "outcome", tt.outcome, result.Outcome)
			w.check()
			tt.then(w)
		})
	}
}
