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

// losing is a transport that loses the answer to the first request for an
// operation. What comes between that request and the SDK's repeat of it is done
// meanwhile.
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
	if l.between != nil {
		l.between()
	}
	return nil, errors.New("read tcp: connection reset by peer")
}

// TestRepeatAfterLostAnswer says what the SDK's own repeat does, where the answer
// to a write was lost that had happened: a plain write is applied twice, so that
// what came between is undone unless its condition prevents it; a transaction is
// applied once, since the repeat bears the same idempotency token.
func TestRepeatAfterLostAnswer(t *testing.T) {
	hour := func(w *world) { w.now = w.now.Add(time.Hour) }
	tests := []struct {
		name      string
		given     func(*world)
		operation string
		between   func(*world)
		call      func(*world, store.Store) (store.Result, error)
		outcome   store.Outcome
		then      func(*world)
	}{
		{
			name:  "refresh",
			given: func(w *world) { w.register(alice, tokenA); hour(w) }, operation: "UpdateItem",
			between: func(*world) {},
			call:    registerA, outcome: store.Refreshed,
			then: func(w *world) { w.holds(alice, tokenA) },
		},
		{
			name:  "refresh, the user logs out between",
			given: func(w *world) { w.register(alice, tokenA) }, operation: "UpdateItem",
			between: func(w *world) { w.do(w.clean.Deactivate(w.Context(), alice)) },
			call:    registerA, outcome: store.Refreshed,
			then: func(w *world) { w.hasStatus(alice, tokens.Active) }, // the logout is undone
		},
		{
			name:  "refresh, the token moves away between",
			given: func(w *world) { w.register(alice, tokenA) }, operation: "UpdateItem",
			between: func(w *world) { w.register(bob, tokenA) },
			call:    registerA, outcome: store.Created,
			then: func(w *world) { w.holds(alice, tokenA); w.empty(bob) }, // the move is undone
		},
		{
			name:  "refresh, the device gets another token between",
			given: func(w *world) { w.register(alice, tokenA) }, operation: "UpdateItem",
			between: func(w *world) { w.register(alice, tokenB) },
			call:    registerA, outcome: store.Replaced,
			then: func(w *world) { w.holds(alice, tokenA) }, // that is undone
		},
		{
			name: "registration", given: func(*world) {}, operation: "TransactWriteItems",
			between: func(*world) {},
			call:    registerA, outcome: store.Created,
			then: func(w *world) { w.holds(alice, tokenA) },
		},
		{
			name: "registration, the token moves away between", given: func(*world) {}, operation: "TransactWriteItems",
			between: func(w *world) { w.register(bob, tokenA) },
			call:    registerA, outcome: store.Created,
			then: func(w *world) { w.holds(bob, tokenA); w.empty(alice) }, // the move stays
		},
		{
			name: "registration, the user logs out between", given: func(*world) {}, operation: "TransactWriteItems",
			between: func(w *world) { w.do(w.clean.Deactivate(w.Context(), alice)) },
			call:    registerA, outcome: store.Created,
			then: func(w *world) { w.hasStatus(alice, tokens.LoggedOut) }, // the logout stays
		},
		{
			name:  "logout, the user logs in between",
			given: func(w *world) { w.register(alice, tokenA) }, operation: "UpdateItem",
			between: func(w *world) { w.register(alice, tokenA) },
			call: func(w *world, s store.Store) (store.Result, error) {
				return store.Result{}, s.Deactivate(w.Context(), alice)
			},
			then: func(w *world) { w.hasStatus(alice, tokens.LoggedOut) }, // the login is undone
		},
		{
			name:  "logout, the token moves away between",
			given: func(w *world) { w.register(alice, tokenA) }, operation: "UpdateItem",
			between: func(w *world) { w.register(bob, tokenA) },
			call: func(w *world, s store.Store) (store.Result, error) {
				return store.Result{}, s.Deactivate(w.Context(), alice)
			},
			then: func(w *world) { w.hasStatus(bob, tokens.Active); w.empty(alice) }, // it is another's
		},
		{
			name:  "invalidation, the app starts between",
			given: func(w *world) { w.register(alice, tokenA); hour(w) }, operation: "UpdateItem",
			between: func(w *world) { w.register(alice, tokenA) },
			call: func(w *world, s store.Store) (store.Result, error) {
				return store.Result{}, s.Invalidate(w.Context(), alice, tokenA.Hash(), w.now)
			},
			then: func(w *world) { w.hasStatus(alice, tokens.Active) }, // its condition prevents it
		},
		{
			name:  "erasure, the app registers between",
			given: func(w *world) { w.register(alice, tokenA) }, operation: "TransactWriteItems",
			between: func(w *world) { w.register(alice, tokenA) },
			call: func(w *world, s store.Store) (store.Result, error) {
				return store.Result{}, s.Delete(w.Context(), alice)
			},
			then: func(w *world) { w.holds(alice, tokenA) },
		},
		{
			name:  "erasure of a user, the app registers between",
			given: func(w *world) { w.register(alice, tokenA) }, operation: "TransactWriteItems",
			between: func(w *world) { w.register(alice, tokenA) },
			call: func(w *world, s store.Store) (store.Result, error) {
				return store.Result{}, s.DeleteUser(w.Context(), "alice")
			},
			then: func(w *world) { w.holds(alice, tokenA) },
		},
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
			w.look()
			w.intact()
			tt.then(w)
		})
	}
}

func registerA(w *world, s store.Store) (store.Result, error) {
	return s.Register(w.Context(), requestFor(alice, tokenA))
}

// TestTransactionIsAppliedOnce sees in the version of the claim, which is new at
// each write, that the repeat of a transaction wrote nothing.
func TestTransactionIsAppliedOnce(t *testing.T) {
	w := newWorld(t, store.Policy{})
	var version string
	transport := &losing{operation: "TransactWriteItems", between: func() {
		w.look()
		version = text(w.at(alice), "claimVersion")
	}}
	var recorder dynamotest.Recorder
	recorder.Next = transport
	if _, err := registerA(w, w.through(&recorder, nil, dynamotest.Retries)); err != nil {
		t.Fatal(err)
	}
	w.look()
	equal(t, "version", version, text(w.at(alice), "claimVersion"))
	if version == "" {
		t.Error("the first answer was not lost after the write")
	}
}
