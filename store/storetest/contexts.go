package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var contextChecks = []check{
	{name: "Context/Register", rule: "context", run: func(f *fixture) { f.obeysContext(writes, registerCall(owned)) }},
	{name: "Context/RegisterMoving", rule: "context", run: func(f *fixture) { f.obeysContext(writes, registerCall(taking)) }},
	{name: "Context/Get", rule: "context", run: func(f *fixture) { f.obeysContext(reads, getCall(owned.Key)) }},
	{name: "Context/List", rule: "context", run: func(f *fixture) { f.obeysContext(reads, listCall(alice)) }},
	{name: "Context/Holder", rule: "context", run: func(f *fixture) { f.obeysContext(reads, holderCall(owned.Token.Hash())) }},
	{name: "Context/Deactivate", rule: "context", run: func(f *fixture) { f.obeysContext(writes, deactivateCall(owned.Key)) }},
	{name: "Context/Invalidate", rule: "context", run: func(f *fixture) {
		f.obeysContext(writes, invalidateCall(owned.Key, owned.Token.Hash(), start.Add(time.Hour)))
	}},
	{name: "Context/Delete", rule: "context", run: func(f *fixture) { f.obeysContext(writes, deleteCall(owned.Key)) }},
	{name: "Context/DeleteUser", rule: "context", run: func(f *fixture) { f.obeysContext(writes, deleteUserCall(alice)) }},
}

var (
	owned  = request(alice, phone, token(1))
	second = request(alice, "tablet", token(2))
	taking = request(bob, phone, token(1))
)

const reads, writes = false, true

// obeysContext makes the call with contexts that are done, then with one that
// ends while the call runs, and at last with one that lasts. It fails as well if
// a call that writes changes nothing then, since that would show nothing.
func (f *fixture) obeysContext(write bool, do call) {
	f.Helper()
	f.register(owned)
	f.register(second)
	f.clock.advance(time.Hour)
	before := f.stored()

	// What the caller gives as the cause is not the context's error.
	canceled, cancelFor := context.WithCancelCause(f.Context())
	cancelFor(errors.New("the caller's cause"))
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
	ending, cancelFor := context.WithCancelCause(f.Context())
	end := func() { cancelFor(errors.New("the caller's cause")) }
	f.clock.onReading(end)
	err := do(ending, f.store)
	f.clock.onReading(nil)
	end()
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
	if err == nil {
		f.wantEqual("stored after a call that succeeded, and after its repeat", done, after)
	}
	if changed := !cmp.Equal(before, done, exactly); changed != write {
		f.Errorf("the call changed what is stored: %t, want %t", changed, write)
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
