package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var pairChecks = []check{
	pairCheck("RefreshAndTakeOver", "one-holder", "refresh", "take over", "take over with a known device", "reinstall"),
	pairCheck("ReplaceAndTakeOver", "take-over", "replace", "take over", "take over with a known device", "reinstall"),
	pairCheck("TakeOverAndTakeOver", "moved-from", "take over", "take over with a known device", "take over with the other's token", "reinstall as new"),
	pairCheck("RefreshAndDeactivate", "deactivate", "deactivate", "refresh", "replace", "take over"),
	pairCheck("RefreshAndInvalidate", "invalidate", "invalidate", "refresh", "replace", "deactivate"),
	pairCheck("RefreshAndDelete", "delete", "delete", "refresh", "replace", "take over", "deactivate"),
	pairCheck("RegisterAndDeleteUser", "delete-user", "delete the user", "refresh", "replace", "take over", "create"),
	pairCheck("RegisterAndEvict", "limit", "create", "reactivate", "delete the watch", "refresh the tablet", "create another"),
	pairCheck("CreateAndCreate", "created", "create", "create", "create with another token", "create elsewhere"),
	pairCheck("GetAndRegister", "one-instant", "get", "replace", "take over", "reinstall"),
	pairCheck("HolderAndRegister", "one-instant", "holder", "replace", "take over", "reinstall"),
	pairCheck("ListAndRegister", "one-instant", "list", "replace", "take over", "reinstall"),
	// Two of alice's devices have expired. A store may erase them at any call, but not
	// one that has just registered again.
	{"Pairs/Expired", "one-instant", three, func(f *fixture) {
		for _, first := range []string{"get", "holder", "list", "create"} {
			f.manyRounds(f.policy.TTL+90*time.Second, first, "refresh")
		}
	}},
	// All calls are in one millisecond, so UpdatedAt does not show that the phone was
	// registered again.
	{"Pairs/OneMoment", "one-instant", three, func(f *fixture) {
		for _, first := range []string{"deactivate", "invalidate"} {
			f.manyRounds(0, first, "replace", "take over")
		}
	}},
	{"Pairs/All", "one-instant", three, func(f *fixture) { f.roundsOfAll(f.everyPair(f.store, f.store)) }},
}

// pairCheck runs the first action with each of the others.
func pairCheck(name, rule, first string, others ...string) check {
	return check{"Pairs/" + name, rule, three, func(f *fixture) { f.manyRounds(time.Hour, first, others...) }}
}

// manyRounds runs the first action with each of the others, at a time after start.
func (f *fixture) manyRounds(now time.Duration, first string, others ...string) {
	f.Helper()
	for _, other := range others {
		p := f.newPair(scene(0).action(first), scene(0).action(other), f.store, f.store)
		p.now = now
		p.rounds(3, 150, f.spends(120*time.Millisecond))
	}
}

// roundsOfAll runs the pairs repeatedly until the time is over. A long run tries
// each pair at least once; otherwise a slow store has a random sample.
func (f *fixture) roundsOfAll(pairs []*pair) {
	rand.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	begin := time.Now()
	for n := range 24 {
		for i, p := range pairs {
			if (n > 0 || !f.Long) && time.Since(begin) > f.spends(4*time.Second) {
				return
			}
			p.round(n + i)
		}
	}
}

// everyPair returns the pairs of actions that share a user, except for two reads.
func (f *fixture) everyPair(one, other store.Store) []*pair {
	f.Helper()
	var pairs []*pair
	all := scene(0).actions()
	for i, a := range all {
		for _, b := range all[i:] {
			if (a.writes() || b.writes()) && slices.ContainsFunc(a.touches(), func(u tokens.UserID) bool { return slices.Contains(b.touches(), u) }) {
				pairs = append(pairs, f.newPair(a, b, one, other))
			}
		}
	}
	return pairs
}

// A pair is two actions that run at once, each on its handle of the store.
type pair struct {
	*fixture
	actions  [2]action
	handles  [2]store.Store
	expected map[[2]bool][]string // possible outcomes, by which actions were repeated
	now      time.Duration        // after the first registration of the scene
	pace     time.Duration        // of one call
	moments  [2]int               // of each action, when it was the first
	random   *rand.Rand
}

func (f *fixture) newPair(a, b action, one, other store.Store) *pair {
	return &pair{
		fixture: f, actions: [2]action{a, b}, handles: [2]store.Store{one, other}, now: time.Hour,
		expected: map[[2]bool][]string{}, random: rand.New(rand.NewPCG(2051, 3)),
	}
}

// rounds runs the pair until the time is over. A store in memory has 32 rounds also on a busy
// machine.
func (p *pair) rounds(least, most int, enough time.Duration) {
	p.Helper()
	begin, first, pace := time.Now(), 0, time.Hour
	if !p.Long {
		first = rand.IntN(4) // a round begins in one of four ways
	}
	for n := 0; n < least || n < 32 && pace < 100*time.Microsecond || n < most && time.Since(begin) < enough; n++ {
		p.round(first + n)
		pace = min(pace, p.pace)
	}
}

func (p *pair) set(to store.Store) error {
	err := scene(0).set(p.Context(), p.clock, to)
	p.clock.set(start.Add(p.now))
	return err
}

// round sets the scene, runs the two actions at once, and fails unless their
// results and the stored data afterwards equal those of one serial order.
func (p *pair) round(n int) {
	p.Helper()
	begin := time.Now()
	p.must(p.set(p.handles[0]), "set the scene")
	p.pace = time.Since(begin) / 7

	var answers [2]string
	var once [2]bool
	var errs [2]error
	run := func(who int) func(context.Context) {
		return func(ctx context.Context) {
			once[who], errs[who] = repeat(ctx, func(ctx context.Context) (err error) {
				answers[who], err = p.actions[who].do(ctx, p.handles[who])
				return err
			})
		}
	}
	first := n % 2
	switch {
	case n/2%2 == 1:
		moments := p.moments[first]
		at := 1 + n/4%(moments+1) // each in turn, if there are few
		if n < 16 {
			at = 1 + n/4
		} else if moments > 8 {
			at = 1 + p.random.IntN(moments+1)
		}
		p.moments[first] = p.within(at, run(first), run(1-first))
	case n/2%24 == 2 && p.pace < 200*time.Microsecond:
		p.crowd(func() { p.abreast(run(first), run(1-first)) })
	default:
		p.abreast(run(first), run(1-first))
	}
	p.must(errors.Join(errs[:]...), "%s and %s at once", p.actions[0].name, p.actions[1].name)
	again := [2]bool{!once[0], !once[1]}
	got := p.outcome(p.handles[n/4%2], answers, again)
	if want := p.orders(again); !slices.Contains(want, got) {
		p.Fatalf("%s and %s at once: neither order gives this (-nearest order, +got):\n%s",
			p.actions[0].name, p.actions[1].name, nearest(want, got))
	}
}

func nearest(want []string, got string) string {
	var diffs []string
	for _, w := range want {
		diffs = append(diffs, cmp.Diff(strings.Split(w, "\n"), strings.Split(got, "\n")))
	}
	return slices.MinFunc(diffs, func(a, b string) int { return len(a) - len(b) })
}

// outcome omits the result of a repeated action, which may have been applied before.
func (p *pair) outcome(from store.Store, answers [2]string, again [2]bool) string {
	p.Helper()
	for i, a := range p.actions {
		if again[i] || p.LooseList && (a.name == "list" || a.name == "inspect") && strings.HasPrefix(p.actions[1-i].name, "reinstall") {
			answers[i] = "not compared"
		}
	}
	picture, err := scene(0).picture(p.Context(), from, p.actions[:]...)
	p.must(err, "after %s and %s at once", p.actions[0].name, p.actions[1].name)
	return fmt.Sprintf("%s: %s\n%s: %s\n%s", p.actions[0].name, answers[0], p.actions[1].name, answers[1], picture)
}

// abreast starts the two at nearly the same time: a goroutine starts within some
// microseconds, and the first waits for as long or less.
func (p *pair) abreast(first, second func(context.Context)) {
	if p.random.IntN(2) == 0 {
		p.clock.onReading(runtime.Gosched)
		defer p.clock.onReading(nil)
	}
	var wg sync.WaitGroup
	var started atomic.Bool
	wg.Go(func() {
		started.Store(true)
		second(p.Context())
	})
	for range p.random.IntN(1 << (4 + p.random.IntN(10))) {
		if started.Load() && p.random.IntN(8) == 0 {
			break
		}
	}
	first(p.Context())
	wg.Wait()
}

// crowd runs do while others read. A mutex that a call unlocks and locks again
// between two of its steps goes to another goroutine only if that has waited long.
func (p *pair) crowd(do func()) {
	var wg sync.WaitGroup
	var over atomic.Bool
	var reading atomic.Int64
	const readers = 4
	for range readers {
		wg.Go(func() {
			for first := true; !over.Load(); first = false {
				_, _ = p.handles[0].Get(p.Context(), key("a stranger", phone))
				if first {
					reading.Add(1)
				}
			}
		})
	}
	for reading.Load() < readers {
		runtime.Gosched()
	}
	do()
	over.Store(true)
	wg.Wait()
}

// within runs the second at a moment, counted from 1, at which the first uses its context or
// the clock, or after it if there are fewer moments. If the first excludes the second there,
// the first continues after a while.
func (p *pair) within(at int, first, second func(context.Context)) (moments int) {
	patience := min(max(4*p.pace, 200*time.Microsecond), 50*time.Millisecond)
	var (
		wg    sync.WaitGroup
		count atomic.Int64
		done  = make(chan struct{})
	)
	start := sync.OnceFunc(func() {
		wg.Go(func() {
			defer close(done)
			second(p.Context())
		})
	})
	moment := func() {
		if count.Add(1) != int64(at) {
			return
		}
		start()
		for begin := time.Now(); time.Since(begin) < patience; runtime.Gosched() {
			select {
			case <-done:
				return
			default:
			}
		}
	}
	p.clock.onReading(moment)
	first(watched{p.Context(), moment})
	p.clock.onReading(nil)
	moments = int(count.Load())
	start()
	wg.Wait()
	return moments
}

type watched struct {
	context.Context
	use func()
}

func (w watched) Done() <-chan struct{} { w.use(); return w.Context.Done() }
func (w watched) Err() error            { w.use(); return w.Context.Err() }
func (w watched) Value(k any) any       { w.use(); return w.Context.Value(k) }

func (w watched) Deadline() (time.Time, bool) { w.use(); return w.Context.Deadline() }
