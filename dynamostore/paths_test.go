package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A path is one way through an operation. TestCosts counts its requests, and
// TestFaults injects every fault at each of them.
type path struct {
	name       string
	maxDevices int // 0: the default
	given      func(*world)
	call       func(context.Context, store.Store) error
	then       func(*world) // checks the table after the call succeeded
	calls      []string     // the requests, with the units that AWS bills
}

func paths() []path { return append(registerPaths(), otherPaths()...) }

func nothing(*world) {}

func has(key tokens.Key, token tokens.Token) func(*world) {
	return func(w *world) { w.register(key, token) }
}

func both(first, second func(*world)) func(*world) {
	return func(w *world) { first(w); second(w) }
}

func later(d time.Duration) func(*world) { return func(w *world) { w.now = w.now.Add(d) } }

func loggedOut(key tokens.Key) func(*world) {
	return func(w *world) { w.do(w.clean.Deactivate(w.Context(), key)) }
}

func aliceHasLegacyRow(w *world) { w.put(legacyRow(alice, tokenA)) }

func isEmpty(keys ...tokens.Key) func(*world) { return func(w *world) { w.empty(keys...) } }

func hasStatus(key tokens.Key, want tokens.Status) func(*world) {
	return func(w *world) { w.hasStatus(key, want) }
}

// registerPaths all register alice's phone.
func registerPaths() []path {
	var all []path
	add := func(name string, given func(*world), token tokens.Token, gone []tokens.Key, calls ...string) *path {
		all = append(all, path{
			name: "Register, " + name, given: given, calls: calls,
			call: func(ctx context.Context, s store.Store) error {
				result, err := s.Register(ctx, requestFor(alice, token))
				if reg := result.Registration; err == nil && (reg.Key != alice || reg.Token.Reveal() != token.Reveal() || !reg.Active()) {
					return fmt.Errorf("the result is %v", result)
				}
				return err
			},
			then: func(w *world) {
				w.holds(alice, token)
				w.hasStatus(alice, tokens.Active)
				w.empty(gone...)
			},
		})
		return &all[len(all)-1]
	}
	const refused, query = "UpdateItem (refused) 1 W", "Query 1 R"
	aliceHasA, bobHasA, tabletHasB := has(alice, tokenA), has(bob, tokenA), has(tablet, tokenB)

	add("new", nothing, tokenA, nil, refused, query, "TransactWriteItems 4 W")
	add("new, above the limit", tabletHasB, tokenA, []tokens.Key{tablet}, refused, query, "TransactWriteItems 8 W").maxDevices = 1
	add("the same token", aliceHasA, tokenA, nil, "UpdateItem 1 W")
	add("the same token spelled otherwise", aliceHasA, respelt, nil, "UpdateItem 1 W")
	add("after a logout", both(aliceHasA, loggedOut(alice)), tokenA, nil, "UpdateItem 1 W")
	add("the same token, once in 29 days", both(aliceHasA, later(29*day+time.Second)), tokenA, nil, refused, "TransactWriteItems 4 W")
	add("another token", aliceHasA, tokenB, nil, refused, "TransactWriteItems 6 W")
	add("moves to a new device", bobHasA, tokenA, []tokens.Key{bob},
		refused, query, "TransactWriteItems (refused) 4 W", "TransactWriteItems 6 W")
	add("moves to a new device, above the limit", both(bobHasA, tabletHasB), tokenA, []tokens.Key{bob, tablet},
		refused, query, "TransactWriteItems (refused) 8 W", "TransactWriteItems 10 W").maxDevices = 1
	add("moves to a device that had another token", both(bobHasA, has(alice, tokenB)), tokenA, []tokens.Key{bob},
		refused, "TransactWriteItems (refused) 6 W", "TransactWriteItems 8 W")
	// The Query shows that the tablet has the token. The first transaction, which is
	// refused, shows that the tablet holds the claim too.
	add("moves to a new device of the same user", has(tablet, tokenA), tokenA, []tokens.Key{tablet},
		refused, query, "TransactWriteItems (refused) 6 W", "TransactWriteItems 6 W")
	// The second transaction assumes that the holder is live and active.
	add("moves from a device that logged out", both(bobHasA, loggedOut(bob)), tokenA, []tokens.Key{bob},
		refused, query, "TransactWriteItems (refused) 4 W", "TransactWriteItems (refused) 6 W", "TransactWriteItems 6 W")
	add("moves from an expired registration", both(bobHasA, later(90*day)), tokenA, []tokens.Key{bob},
		refused, query, "TransactWriteItems (refused) 4 W", "TransactWriteItems (refused) 6 W", "TransactWriteItems 6 W")
	add("over its own expired registration", both(aliceHasA, later(90*day)), tokenA, nil, refused, query, "TransactWriteItems 4 W")
	add("another token over its own expired registration", both(aliceHasA, later(90*day)), tokenB, nil, refused, query, "TransactWriteItems 6 W")
	add("over a row of the earlier service", aliceHasLegacyRow, tokenA, nil, refused, "TransactWriteItems 4 W")
	return all
}

func otherPaths() []path {
	var all []path
	add := func(name string, given func(*world), call func(context.Context, store.Store) error, then func(*world), calls ...string) {
		all = append(all, path{name: name, given: given, call: call, then: then, calls: calls})
	}
	aliceHasA, active := has(alice, tokenA), hasStatus(alice, tokens.Active)

	add("Get", aliceHasA, func(ctx context.Context, s store.Store) error {
		reg, err := s.Get(ctx, alice)
		if err == nil && reg.Key != alice {
			return fmt.Errorf("got %v", reg)
		}
		return err
	}, active, "GetItem 1 R")
	add("List", both(has(tablet, tokenB), aliceHasA), func(ctx context.Context, s store.Store) error {
		regs, err := s.List(ctx, "alice")
		if err == nil && len(regs) != 2 {
			return fmt.Errorf("got %v", regs)
		}
		return err
	}, active, "Query 1 R")

	deactivate, erase, invalidate := methods[store.OpDeactivate], methods[store.OpDelete], methods[store.OpInvalidate]
	add("Deactivate", aliceHasA, deactivate, hasStatus(alice, tokens.LoggedOut), "UpdateItem 1 W")
	add("Deactivate, nothing to do", nothing, deactivate, isEmpty(alice), "UpdateItem (refused) 1 W")
	add("Delete", aliceHasA, erase, isEmpty(alice), "GetItem 1 R", "TransactWriteItems 4 W")
	add("Delete, a row of the earlier service", aliceHasLegacyRow, erase, isEmpty(alice), "GetItem 1 R", "TransactWriteItems 2 W")
	add("Delete, nothing to do", nothing, erase, isEmpty(alice), "GetItem 1 R")
	add("Invalidate", aliceHasA, invalidate, hasStatus(alice, tokens.DeviceNotRegistered), "GetItem 1 R", "UpdateItem 1 W")
	add("Invalidate, nothing to do", both(later(time.Hour), aliceHasA), invalidate, active, "GetItem 1 R")
	add("DeleteUser, three registrations", both(aliceHasA, both(has(tablet, tokenB), has(watch, tokenC))), methods[store.OpDeleteUser],
		isEmpty(alice, tablet, watch), "Query 1 R", "TransactWriteItems 12 W")

	// holder finds want, or nothing if want is zero.
	holder := func(want tokens.Key) func(context.Context, store.Store) error {
		return func(ctx context.Context, s store.Store) error {
			reg, err := s.Holder(ctx, tokenA.Hash())
			if want.IsZero() && errors.Is(err, store.ErrNotFound) {
				return nil
			}
			if err == nil && reg.Key != want {
				return fmt.Errorf("got %v", reg.Key)
			}
			return err
		}
	}
	add("Holder", aliceHasA, holder(alice), active, "GetItem 1 R", "GetItem 1 R")
	add("Holder, no registration", nothing, holder(tokens.Key{}), isEmpty(alice), "GetItem 1 R")
	add("Holder, the registration is gone", both(aliceHasA, func(w *world) { w.remove(keyItem(alice)) }), holder(tokens.Key{}), isEmpty(alice),
		"GetItem 1 R", "GetItem 1 R", "TransactGetItems 4 R")
	return all
}
