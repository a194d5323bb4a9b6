package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var contextChecks = []check{
	contextCheck("Register", writes, registerCall(owned)),
	contextCheck("RegisterMoving", writes, registerCall(taking)),
	contextCheck("Get", reads, getCall(owned.Key)),
	contextCheck("List", reads, listCall(alice)),
	contextCheck("Holder", reads, holderCall(owned.Token.Hash())),
	contextCheck("Deactivate", writes, deactivateCall(owned.Key)),
	contextCheck("Invalidate", writes, invalidateCall(owned.Key, owned.Token.Hash(), start.Add(time.Hour))),
	contextCheck("Delete", writes, deleteCall(owned.Key)),
	contextCheck("DeleteUser", writes, deleteUserCall(alice)),
}

func contextCheck(method string, write bool, do call) check {
	return check{"Context/" + method, "context", defaults, func(f *fixture) { f.obeysContext(write, do) }}
}

const reads, writes = false, true

// obeysContext makes the call with contexts that are done, with one that ends during the
// call, and with one that lasts, which must change the stored data if the call writes.
func (f *fixture) obeysContext(write bool, do call) {
	f.Helper()
	f.register(owned)
	f.register(second)
	f.clock.advance(time.Hour)
	before := f.stored()

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

	// A store may not read its clock here, or not use its context afterwards.
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

var endingChecks = []check{
	endsDuring("Refresh", "refresh"),
	endsDuring("Reactivate", "reactivate"),
	endsDuring("Replace", "replace"),
	endsDuring("TakeOver", "take over"),
	endsDuring("Exchange", "take over with the other's token"),
	endsDuring("Reinstall", "reinstall"),
	endsDuring("Create", "create elsewhere"),
	endsDuring("Evict", "create"),
	endsDuring("Deactivate", "deactivate"),
	endsDuring("Invalidate", "invalidate"),
	endsDuring("Delete", "delete"),
	endsDuring("DeleteUser", "delete the user"),
}

// endsDuring ends the context of the action at each of its uses, at each reading of the
// clock, and while the call runs.
func endsDuring(subject, name string) check {
	return check{"Ending/" + subject, "context", three, func(f *fixture) {
		f.setScene(0)
		whole := newEnding(f.Context(), nil, 0)
		f.clock.onReading(whole.moment)
		begin := time.Now()
		_, err := scene(0).action(name).do(whole, f.store)
		took := time.Since(begin)
		f.clock.onReading(nil)
		f.must(err, "the context lasts")
		// A slow store uses its context often: then the moments are a sample,
		// which is random unless the run is long.
		const most = 48
		moments := whole.uses.Load() + 1
		order, least := rand.Perm(2*most), 4
		if f.Long {
			slices.Sort(order)
			least = int(2 * min(moments, 8)) // also on a busy machine
		}
		begin = time.Now()
		for i, n := range order {
			if i >= least && time.Since(begin) > f.spends(time.Second) {
				break
			}
			n := int64(n)
			at, after := int64(0), took*time.Duration(n/2)/most
			if n%2 == 0 {
				if at = 1 + n/2; moments > most {
					at = 1 + n/2*37%most*moments/most
				} else if at > moments {
					continue
				}
			}
			f.endsAt(scene(1+n), name, at, after)
		}
	}}
}

func (f *fixture) setScene(s scene) {
	f.Helper()
	f.must(s.set(f.Context(), f.clock, f.store), "set the scene")
}

// endsAt ends the context at a moment of the action, or after a time if that is zero. It
// fails unless the stored data agrees with the error, and a repeat completes the action.
func (f *fixture) endsAt(s scene, name string, at int64, after time.Duration) {
	f.Helper()
	before, done, partly := f.expectedOf(s, name)
	f.setScene(s)
	why := []error{context.Canceled, context.DeadlineExceeded}[s/2%2]
	ctx := newEnding(f.Context(), why, at)
	f.clock.onReading(ctx.moment)
	stopped := make(chan struct{})
	if at == 0 {
		go func() {
			defer close(stopped)
			for begin := time.Now(); time.Since(begin) < after; {
				runtime.Gosched()
			}
			ctx.end()
		}()
	} else {
		close(stopped)
	}
	_, err := s.action(name).do(ctx, f.store)
	<-stopped
	f.clock.onReading(nil)

	allowed := []string{done}
	switch {
	case err == nil:
	case !errors.Is(err, why):
		f.Errorf("the context ended during the call: got error %v, want %v", err, why)
		return
	case !errors.Is(err, store.ErrTryAgain):
		allowed = []string{before}
	default:
		allowed = append(partly, before, done)
	}
	f.settles(s, name, err, allowed)

	_, err = repeat(f.Context(), func(ctx context.Context) error { return errorOf(s.action(name).do(ctx, f.store)) })
	f.must(err, "repeat after the context ended")
	f.settles(s, name, nil, []string{done})
}

// settles waits until the stored data is allowed. A request that was under way when the
// context ended may be applied later.
func (f *fixture) settles(s scene, name string, cause error, allowed []string) {
	f.Helper()
	var last string
	for {
		got, err := s.picture(f.Context(), f.store, s.action(name))
		f.must(err, "after a call whose context ended")
		if slices.Contains(allowed, got) {
			return
		}
		if got == last {
			f.Fatalf("after a call whose context ended, and which returned the error %v, the stored data is not allowed (-nearest that is allowed, +got):\n%s",
				cause, nearest(allowed, got))
		}
		last = got
	}
}

// partly has the stored data after parts of a DeleteUser.
func (f *fixture) expectedOf(s scene, name string) (before, done string, partly []string) {
	f.Helper()
	a := s.action(name)
	picture := func(write func(store.Store) error) string {
		twin := f.twin(s)
		err := write(twin)
		p, err2 := s.picture(f.Context(), twin, a)
		f.must(errors.Join(err, err2), "memstore")
		return p
	}
	before = picture(func(store.Store) error { return nil })
	done = picture(func(twin store.Store) error { return errorOf(a.do(f.Context(), twin)) })
	if a.erases == "" {
		return before, done, nil
	}
	for subset := range 1 << len(a.on) {
		partly = append(partly, picture(func(twin store.Store) error {
			var errs []error
			for i, req := range a.on {
				if subset>>i&1 == 1 {
					errs = append(errs, twin.Delete(f.Context(), req.Key))
				}
			}
			return errors.Join(errs...)
		}))
	}
	return before, done, partly
}

type ending struct {
	context.Context
	why  error
	at   int64
	uses atomic.Int64
	done chan struct{}
	over atomic.Bool
}

func newEnding(parent context.Context, why error, at int64) *ending {
	return &ending{Context: parent, why: why, at: at, done: make(chan struct{})}
}

func (e *ending) end() {
	if !e.over.Swap(true) {
		close(e.done)
	}
}

func (e *ending) moment() {
	if e.uses.Add(1) == e.at {
		e.end()
	}
}

func (e *ending) Done() <-chan struct{} { e.moment(); return e.done }

func (e *ending) Value(k any) any { e.moment(); return e.Context.Value(k) }

func (e *ending) Err() error {
	e.moment()
	select {
	case <-e.done:
		return e.why
	default:
		return nil
	}
}
