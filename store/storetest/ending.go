package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/devicetokens/devicetokens/store"
)

// Each of these ends the context in the middle of one call, at as many moments as
// the suite can choose.
var endingChecks = []check{
	{name: "Ending/Refresh", rule: "context", policy: three, run: endsDuring("refresh")},
	{name: "Ending/Reactivate", rule: "context", policy: three, run: endsDuring("reactivate")},
	{name: "Ending/Replace", rule: "context", policy: three, run: endsDuring("replace")},
	{name: "Ending/TakeOver", rule: "context", policy: three, run: endsDuring("take over")},
	{name: "Ending/Exchange", rule: "context", policy: three, run: endsDuring("take over with the other's token")},
	{name: "Ending/Reinstall", rule: "context", policy: three, run: endsDuring("reinstall")},
	{name: "Ending/Create", rule: "context", policy: three, run: endsDuring("create elsewhere")},
	{name: "Ending/Evict", rule: "context", policy: three, run: endsDuring("create")},
	{name: "Ending/Deactivate", rule: "context", policy: three, run: endsDuring("deactivate")},
	{name: "Ending/Invalidate", rule: "context", policy: three, run: endsDuring("invalidate")},
	{name: "Ending/Delete", rule: "context", policy: three, run: endsDuring("delete")},
	{name: "Ending/DeleteUser", rule: "context", policy: three, run: endsDuring("delete the user")},
}

// endsDuring ends the context of the action at each use that the store makes of
// it, at each reading of the clock, and while the call runs.
func endsDuring(name string) func(*fixture) {
	return func(f *fixture) {
		f.setScene(0)
		whole := newEnding(f.Context(), nil, 0)
		f.clock.onReading(whole.moment)
		begin := time.Now()
		_, err := scene(0).action(name).do(whole, f.store)
		took := time.Since(begin)
		f.clock.onReading(nil)
		if err != nil {
			f.Fatalf("the context lasts: %v", err)
		}
		// A slow store uses its context often: then the moments are a selection,
		// and another one each time unless the run is long.
		const most = 48
		moments := whole.uses.Load() + 1
		order := rand.Perm(2 * most)
		if f.Long {
			slices.Sort(order)
		}
		begin = time.Now()
		for i, n := range order {
			if i >= 4 && time.Since(begin) > f.spends(time.Second) {
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
	}
}

func (f *fixture) setScene(s scene) {
	f.Helper()
	if err := s.set(f.Context(), f.clock, f.store); err != nil {
		f.Fatalf("set the scene: %v", err)
	}
}

// endsAt ends the context at a moment of the action, or, if that is zero, after a
// time. It fails unless the action was then applied whole or not at all, as the
// error says, and whole after a repeat.
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

	if _, err := repeat(f.Context(), func(ctx context.Context) error {
		_, err := s.action(name).do(ctx, f.store)
		return err
	}); err != nil {
		f.Errorf("repeat after the context ended: %v", err)
	}
	f.settles(s, name, nil, []string{done})
}

// settles fails unless the stored data is one of those allowed. A request that was
// on its way when the context ended may be applied while it is read.
func (f *fixture) settles(s scene, name string, cause error, allowed []string) {
	f.Helper()
	var last string
	for {
		got, err := s.picture(f.Context(), f.store, s.action(name))
		if err != nil {
			f.Fatalf("after a call whose context ended: %v", err)
		}
		if slices.Contains(allowed, got) {
			return
		}
		if got == last {
			f.Fatalf("after a call whose context ended, and which returned the error %v, what is stored is not allowed (-nearest that is allowed, +got):\n%s",
				cause, nearest(allowed, got))
		}
		last = got
	}
}

// expectedOf returns the stored data before the action, when it is done, and, of a
// DeleteUser, when some registrations are erased.
func (f *fixture) expectedOf(s scene, name string) (before, done string, partly []string) {
	f.Helper()
	a := s.action(name)
	picture := func(write func(store.Store) error) string {
		twin := f.twin(s)
		err := write(twin)
		p, err2 := s.picture(f.Context(), twin, a)
		if err := errors.Join(err, err2); err != nil {
			f.Fatalf("memstore: %v", err)
		}
		return p
	}
	before = picture(func(store.Store) error { return nil })
	done = picture(func(twin store.Store) error { _, err := a.do(f.Context(), twin); return err })
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

// An ending context ends at one of its uses, or when end is called.
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

// moment counts a use, and ends the context if it is the one.
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
