package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var contextChecks = []check{
	{name: "Context/Register", run: func(f *fixture) { f.obeysContext(1, registerCall(owned)) }},
	{name: "Context/RegisterMoving", run: func(f *fixture) { f.obeysContext(1, registerCall(taking)) }},
	{name: "Context/Get", run: func(f *fixture) { f.obeysContext(0, getCall(owned.Key)) }},
	{name: "Context/List", run: func(f *fixture) { f.obeysContext(0, listCall(alice)) }},
	{name: "Context/Holder", run: func(f *fixture) { f.obeysContext(0, holderCall(owned.Token)) }},
	{name: "Context/Deactivate", run: func(f *fixture) { f.obeysContext(1, deactivateCall(owned.Key)) }},
	{name: "Context/Invalidate", run: func(f *fixture) {
		f.obeysContext(1, invalidateCall(owned.Key, owned.Token, start.Add(time.Hour)))
	}},
	{name: "Context/Delete", run: func(f *fixture) { f.obeysContext(1, deleteCall(owned.Key)) }},
	{name: "Context/DeleteUser", run: func(f *fixture) { f.obeysContext(2, deleteUserCall(alice)) }},
}

var (
	owned  = request(alice, phone, token(1))
	second = request(alice, "tablet", token(2))
	taking = request(bob, phone, token(1))
)

// obeysContext makes the call with contexts that are done, then with one that
// ends while the call runs, and at last with one that lasts. The call has so
// many effects, which happen one by one.
func (f *fixture) obeysContext(effects int, do call) {
	f.Helper()
	f.register(owned)
	f.register(second)
	f.clock.advance(time.Hour)
	before := f.stored()

	canceled, cancel := context.WithCancel(f.Context())
	cancel()
	expired, cancel := context.WithDeadline(f.Context(), time.Unix(0, 0))
	defer cancel()
	for ctx, want := range map[context.Context]error{canceled: context.Canceled, expired: context.DeadlineExceeded} {
		if err := do(ctx, f.store); !errors.Is(err, want) {
			f.Errorf("the context is done: got error %v, want %v", err, want)
		}
		f.wantEqual("stored after a call whose context was done", before, f.stored())
	}

	// The clock is the one thing of the check that a store calls, so this is
	// the one moment within the call that the check can choose. A store may
	// not look at its clock here, or at its context afterwards.
	ending, cancel := context.WithCancel(f.Context())
	f.clock.onReading(cancel)
	err := do(ending, f.store)
	f.clock.onReading(nil)
	cancel()
	after := f.stored()
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			f.Errorf("the context ended during the call: got error %v, want %v", err, context.Canceled)
		}
		if !errors.Is(err, store.ErrTryAgain) {
			f.wantEqual("stored after an error that is not ErrTryAgain", before, after)
		}
	}

	if err := do(f.Context(), f.store); err != nil {
		f.Errorf("the context lasts: %v", err)
	}
	done := f.stored()
	if err == nil && effects > 0 {
		f.wantEqual("stored after a call that succeeded, and after its repeat", done, after)
	}
	if changed := changes(before, done); changed < effects {
		f.Errorf("the call changed %d registrations, want at least %d", changed, effects)
	}
}

// stored returns what Get finds under the keys of the context checks.
func (f *fixture) stored() map[tokens.Key]tokens.Registration {
	f.Helper()
	found := map[tokens.Key]tokens.Registration{}
	for _, req := range []tokens.Request{owned, second, taking} {
		if f.holds(req) {
			found[req.Key] = f.get(req.Key)
		}
	}
	return found
}

func changes(before, after map[tokens.Key]tokens.Registration) int {
	n := 0
	for key, was := range before {
		is, ok := after[key]
		if !ok || is.Status != was.Status || !is.UpdatedAt.Equal(was.UpdatedAt) {
			n++
		}
	}
	return n
}
