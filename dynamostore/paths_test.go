package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A path is one way through an operation. Its cost is counted, and every fault is
// injected at each of its calls.
type path struct {
	name       string
	maxDevices int          // 0: the default
	given      func(*world) // what happened before
	call       func(context.Context, *world, store.Store) error
	then       func(*world) // checks the stored data once the call has succeeded
	calls      []string     // what goes out, with what AWS bills for it
}

// registering calls Register.
func registering(key tokens.Key, token tokens.Token) func(context.Context, *world, store.Store) error {
	return func(ctx context.Context, w *world, s store.Store) error {
		result, err := s.Register(ctx, requestFor(key, token))
		if err == nil && (result.Registration.Key != key || result.Registration.Token.Reveal() != token.Reveal() || !result.Registration.Active()) {
			w.Errorf("Register: the result is %v", result)
		}
		return err
	}
}

// paths are all of them.
func paths() []path {
	return append(registerPaths(), otherPaths()...)
}

func registerPaths() []path {
	nothing := func(*world) {}
	aliceHasA := func(w *world) { w.register(alice, tokenA) }
	bobHasA := func(w *world) { w.register(bob, tokenA) }
	return []path{
		{
			name: "Register, new", given: nothing, call: registering(alice, tokenA),
			then:  func(w *world) { w.holds(alice, tokenA) },
			calls: []string{"UpdateItem (refused) 1 W", "Query 1 R", "TransactWriteItems 4 W"},
		},
		{
			name: "Register, new, above the limit", maxDevices: 1,
			given: func(w *world) { w.register(tablet, tokenB) },
			call:  registering(alice, tokenA),
			then:  func(w *world) { w.holds(alice, tokenA); w.empty(tablet) },
			calls: []string{"UpdateItem (refused) 1 W", "Query 1 R", "TransactWriteItems 8 W"},
		},
		{
			name: "Register, the same token", given: aliceHasA, call: registering(alice, tokenA),
			then:  func(w *world) { w.holds(alice, tokenA) },
			calls: []string{"UpdateItem 1 W"},
		},
		{
			name: "Register, the same token spelled otherwise", given: aliceHasA, call: registering(alice, respelt),
			then:  func(w *world) { w.holds(alice, respelt) },
			calls: []string{"UpdateItem 1 W"},
		},
		{
			name: "Register, after a logout",
			given: func(w *world) {
				w.register(alice, tokenA)
				w.do(w.clean.Deactivate(w.Context(), alice))
			},
			call:  registering(alice, tokenA),
			then:  func(w *world) { w.holds(alice, tokenA); w.hasStatus(alice, tokens.Active) },
			calls: []string{"UpdateItem 1 W"},
		},
		{
			name: "Register, the same token, once in 29 days",
			given: func(w *world) {
				w.register(alice, tokenA)
				w.now = w.now.Add(29*day + time.Second)
			},
			call:  registering(alice, tokenA),
			then:  func(w *world) { w.holds(alice, tokenA) },
			calls: []string{"UpdateItem (refused) 1 W", "TransactWriteItems 4 W"},
		},
		{
			name: "Register, another token", given: aliceHasA, call: registering(alice, tokenB),
			then:  func(w *world) { w.holds(alice, tokenB) },
			calls: []string{"UpdateItem (refused) 1 W", "TransactWriteItems 6 W"},
		},
		{
			name: "Register, moves to a new device", given: bobHasA, call: registering(alice, tokenA),
			then:  func(w *world) { w.holds(alice, tokenA); w.empty(bob) },
			calls: []string{"UpdateItem (refused) 1 W", "Query 1 R", "TransactWriteItems (refused) 4 W", "TransactWriteItems 6 W"},
		},
		{
			name: "Register, moves to a new device, above the limit", maxDevices: 1,
			given: func(w *world) { w.register(bob, tokenA); w.register(tablet, tokenB) },
			call:  registering(alice, tokenA),
			then:  func(w *world) { w.holds(alice, tokenA); w.empty(bob); w.empty(tablet) },
			calls: []string{"UpdateItem (refused) 1 W", "Query 1 R", "TransactWriteItems (refused) 8 W", "TransactWriteItems 10 W"},
		},
		{
			name:  "Register, moves to a device that had another token",
			given: func(w *world) { w.register(bob, tokenA); w.register(alice, tokenB) },
			call:  registering(alice, tokenA),
			then:  func(w *world) { w.holds(alice, tokenA); w.empty(bob) },
			calls: []string{"UpdateItem (refused) 1 W", "TransactWriteItems (refused) 6 W", "TransactWriteItems 8 W"},
		},
		{
			name:  "Register, moves to a new device of the same user",
			given: func(w *world) { w.register(tablet, tokenA) },
			call:  registering(alice, tokenA),
			then:  func(w *world) { w.holds(alice, tokenA); w.empty(tablet) },
			// The Query has shown that the tablet has the token; what the claim
			// says is known only once the first transaction is refused.
			calls: []string{"UpdateItem (refused) 1 W", "Query 1 R", "TransactWriteItems (refused) 6 W", "TransactWriteItems 6 W"},
		},
		{
			name: "Register, moves from a device that logged out",
			given: func(w *world) {
				w.register(bob, tokenA)
				w.do(w.clean.Deactivate(w.Context(), bob))
			},
			call: registering(alice, tokenA),
			then: func(w *world) { w.holds(alice, tokenA); w.empty(bob) },
			// The claim's owner is thought to be live and active, which is what
			// MovedFrom tells, so that it costs one transaction more to find
			// that it is not.
			calls: []string{"UpdateItem (refused) 1 W", "Query 1 R", "TransactWriteItems (refused) 4 W", "TransactWriteItems (refused) 6 W", "TransactWriteItems 6 W"},
		},
		{
			name:  "Register, moves from an expired registration",
			given: func(w *world) { w.register(bob, tokenA); w.now = w.now.Add(90 * day) },
			call:  registering(alice, tokenA),
			then:  func(w *world) { w.holds(alice, tokenA); w.empty(bob) },
			calls: []string{"UpdateItem (refused) 1 W", "Query 1 R", "TransactWriteItems (refused) 4 W", "TransactWriteItems (refused) 6 W", "TransactWriteItems 6 W"},
		},
		{
			name:  "Register, over its own expired registration",
			given: func(w *world) { w.register(alice, tokenA); w.now = w.now.Add(90 * day) },
			call:  registering(alice, tokenA),
			then:  func(w *world) { w.holds(alice, tokenA) },
			calls: []string{"UpdateItem (refused) 1 W", "Query 1 R", "TransactWriteItems 4 W"},
		},
		{
			name:  "Register, another token over its own expired registration",
			given: func(w *world) { w.register(alice, tokenA); w.now = w.now.Add(90 * day) },
			call:  registering(alice, tokenB),
			then:  func(w *world) { w.holds(alice, tokenB) },
			calls: []string{"UpdateItem (refused) 1 W", "Query 1 R", "TransactWriteItems 6 W"},
		},
		{
			name:  "Register, over a row of the earlier service",
			given: func(w *world) { w.put(legacyRow(alice, tokenA)) },
			call:  registering(alice, tokenA),
			then:  func(w *world) { w.holds(alice, tokenA) },
			calls: []string{"UpdateItem (refused) 1 W", "TransactWriteItems 4 W"},
		},
	}
}

func otherPaths() []path {
	aliceHasA := func(w *world) { w.register(alice, tokenA) }
	return []path{
		{
			name: "Get", given: aliceHasA,
			call: func(ctx context.Context, w *world, s store.Store) error {
				reg, err := s.Get(ctx, alice)
				if err == nil && reg.Key != alice {
					w.Errorf("Get: got %v", reg)
				}
				return err
			},
			then:  func(w *world) { w.holds(alice, tokenA) },
			calls: []string{"GetItem 1 R"},
		},
		{
			name: "List", given: func(w *world) { w.register(tablet, tokenB); w.register(alice, tokenA) },
			call: func(ctx context.Context, w *world, s store.Store) error {
				regs, err := s.List(ctx, "alice")
				if err == nil && len(regs) != 2 {
					w.Errorf("List: got %v", regs)
				}
				return err
			},
			then:  func(w *world) { w.holds(alice, tokenA) },
			calls: []string{"Query 1 R"},
		},
		{
			name: "Deactivate", given: aliceHasA, call: deactivating(alice),
			then:  func(w *world) { w.hasStatus(alice, tokens.LoggedOut) },
			calls: []string{"UpdateItem 1 W"},
		},
		{
			name: "Deactivate, nothing to do", given: func(*world) {}, call: deactivating(alice),
			then:  func(w *world) { w.empty(alice) },
			calls: []string{"UpdateItem (refused) 1 W"},
		},
		{
			name:  "Delete",
			given: aliceHasA,
			call:  func(ctx context.Context, _ *world, s store.Store) error { return s.Delete(ctx, alice) },
			then:  func(w *world) { w.empty(alice) },
			calls: []string{"GetItem 1 R", "TransactWriteItems 4 W"},
		},
		{
			name: "Delete, a row of the earlier service", given: func(w *world) { w.put(legacyRow(alice, tokenA)) },
			call:  func(ctx context.Context, _ *world, s store.Store) error { return s.Delete(ctx, alice) },
			then:  func(w *world) { w.empty(alice) },
			calls: []string{"GetItem 1 R", "TransactWriteItems 2 W"},
		},
		{
			name: "Delete, nothing to do", given: func(*world) {},
			call:  func(ctx context.Context, _ *world, s store.Store) error { return s.Delete(ctx, alice) },
			then:  func(w *world) { w.empty(alice) },
			calls: []string{"GetItem 1 R"},
		},
		{
			name:  "Invalidate",
			given: func(w *world) { w.register(alice, tokenA); w.now = w.now.Add(time.Hour) },
			call:  invalidating(alice, tokenA),
			then:  func(w *world) { w.hasStatus(alice, tokens.DeviceNotRegistered) },
			calls: []string{"GetItem 1 R", "UpdateItem 1 W"},
		},
		{
			name: "Invalidate, nothing to do", given: aliceHasA, call: invalidating(alice, tokenA),
			then:  func(w *world) { w.hasStatus(alice, tokens.Active) },
			calls: []string{"GetItem 1 R"},
		},
		{
			name: "DeleteUser, three registrations",
			given: func(w *world) {
				w.register(alice, tokenA)
				w.register(tablet, tokenB)
				w.register(watch, tokenC)
			},
			call:  func(ctx context.Context, _ *world, s store.Store) error { return s.DeleteUser(ctx, "alice") },
			then:  func(w *world) { w.empty(alice); w.empty(tablet); w.empty(watch) },
			calls: []string{"Query 1 R", "TransactWriteItems 12 W"},
		},
		{
			name: "Holder", given: aliceHasA, call: holding(tokenA, alice),
			then:  func(w *world) { w.holds(alice, tokenA) },
			calls: []string{"GetItem 1 R", "GetItem 1 R"},
		},
		{
			name: "Holder, no registration", given: func(*world) {}, call: holding(tokenA, tokens.Key{}),
			then:  func(w *world) { w.empty(alice) },
			calls: []string{"GetItem 1 R"},
		},
		{
			name:  "Holder, the registration is gone",
			given: func(w *world) { w.register(alice, tokenA); w.remove(keyItem(alice)) },
			call:  holding(tokenA, tokens.Key{}),
			then:  func(w *world) { w.empty(alice) },
			calls: []string{"GetItem 1 R", "GetItem 1 R", "TransactGetItems 4 R"},
		},
	}
}

func deactivating(key tokens.Key) func(context.Context, *world, store.Store) error {
	return func(ctx context.Context, _ *world, s store.Store) error { return s.Deactivate(ctx, key) }
}

// invalidating calls Invalidate of a message that was sent a moment ago.
func invalidating(key tokens.Key, token tokens.Token) func(context.Context, *world, store.Store) error {
	return func(ctx context.Context, w *world, s store.Store) error {
		return s.Invalidate(ctx, key, token.Hash(), w.now)
	}
}

// holding calls Holder, which must find want, or nothing if want is zero.
func holding(token tokens.Token, want tokens.Key) func(context.Context, *world, store.Store) error {
	return func(ctx context.Context, _ *world, s store.Store) error {
		reg, err := s.Holder(ctx, token.Hash())
		switch {
		case want.IsZero() && errors.Is(err, store.ErrNotFound):
			return nil
		case err == nil && reg.Key != want:
			return fmt.Errorf("holder: got %v", reg.Key)
		}
		return err
	}
}
