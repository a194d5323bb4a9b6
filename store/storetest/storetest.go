package storetest

import (
	"context"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A Backend describes an implementation under test: how to create a store, which
// exceptions of [store.Store] it declares, and which optional interfaces it has.
type Backend struct {
	// New returns an empty store that shares no data with earlier ones. The policy
	// is valid and may have zero fields, for which the store uses the defaults.
	// Run calls New once for each check, and Bench once for each benchmark. New
	// closes its resources with t.Cleanup and reports errors with t.Fatal.
	New func(t testing.TB, p store.Policy) store.Store

	// LooseLimit declares that k concurrent registrations of new devices may
	// exceed a user's device limit by k − 1 until the next new device.
	LooseLimit bool
	// LooseHolder declares that Holder may return ErrTryAgain under contention.
	LooseHolder bool
	// LooseList declares that List and Inspect are not snapshots: while a token
	// moves between two devices of a user, they may return both or neither.
	LooseList bool

	// Again returns a second store with the policy on the data of s, like a second
	// process. If it is nil, the suite skips the checks with two stores.
	Again func(t testing.TB, s store.Store, p store.Policy) store.Store

	// Inspector and Importer declare that the store, or a store that it wraps, is
	// a [store.Inspector] or a [store.Importer].
	Inspector, Importer bool
	// Walker returns a new [store.Walker] over the store's data, or the store
	// itself. It is nil if there is none.
	Walker func(t testing.TB, s store.Store) store.Walker

	// Long makes the suite spend four times as long on the checks with concurrent
	// calls, and try all cases on a slow store instead of a sample.
	Long bool

	// Corrupt changes the stored registration under the key so that the store
	// cannot decode it. If it is nil, the suite skips the checks of the rule
	// corrupt.
	Corrupt func(t testing.TB, s store.Store, key tokens.Key)
}

func (b Backend) spends(long time.Duration) time.Duration {
	if b.Long {
		return long
	}
	return long / 4
}

// Run runs every check as a subtest of t, each with a new store. A failed check logs
// the name of the rule of package store that it tests.
func Run(t *testing.T, b Backend) {
	for _, c := range checks(b) {
		t.Run(c.name, func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("breaks the rule %s of package store", c.rule)
				}
			})
			c.run(newFixture(t, b, c.policy))
		})
	}
}

// A check tests what its name says. It fails through the fixture.
type check struct {
	name   string // method or subject, slash, case
	rule   string // of the package comment of store
	policy store.Policy
	run    func(f *fixture)
}

var (
	defaults = store.Policy{}
	three    = store.Policy{MaxDevices: 3} // a limit that is soon reached
)

func checks(b Backend) []check {
	all := slices.Concat(
		registerChecks, moveChecks, limitChecks, readChecks, removalChecks, timeChecks,
		keyChecks, invalidChecks, contextChecks, raceChecks, raceReadChecks, pairChecks, endingChecks,
	)
	if b.Again != nil {
		all = append(all, handleChecks...)
	}
	if b.Corrupt != nil {
		all = append(all, corruptChecks...)
	}
	if b.Inspector {
		all = append(all, inspectChecks...)
	}
	if b.Walker != nil {
		all = append(all, walkChecks...)
	}
	if b.Importer {
		all = slices.Concat(all, importChecks, raceImportChecks)
	}
	return all
}

// Bench measures the frequent calls of a store as sub-benchmarks of b: serial, from one
// goroutine, and parallel, from as many as there are processors. The store has two
// devices of each of 1,000 users. A call that returns ErrTryAgain is repeated and counted
// once.
func Bench(b *testing.B, be Backend) {
	for _, bm := range []struct {
		name string
		call func(p *population, n int) call
	}{
		{"refresh", func(p *population, n int) call { return registerCall(p.pick(n)) }},
		{"get", func(p *population, n int) call { return getCall(p.pick(n).Key) }},
		{"list", func(p *population, n int) call { return listCall(p.pick(n).Key.UserID) }},
		{"new", func(p *population, n int) call { // a new device of a new user
			return registerCall(request(numbered("new", n), phone, token(len(p.reqs)+n)))
		}},
		{"move", func(p *population, n int) call { // to one of a limited number of users
			req := p.pick(n)
			req.Key.UserID = numbered("other-"+strconv.Itoa(n/len(p.reqs)%2), n%len(p.reqs))
			return registerCall(req)
		}},
	} {
		b.Run(bm.name+"/serial", func(b *testing.B) {
			p := newPopulation(b, be)
			for n := 0; b.Loop(); n++ {
				p.measure(b, bm.call(p, n))
			}
		})
		b.Run(bm.name+"/parallel", func(b *testing.B) {
			p := newPopulation(b, be)
			var callers atomic.Int64
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for n := int(callers.Add(1)) * 1_000_000; pb.Next(); n++ {
					p.measure(b, bm.call(p, n))
				}
			})
		})
	}
}

type population struct {
	store store.Store
	reqs  []tokens.Request
}

func newPopulation(b *testing.B, be Backend) *population {
	b.Helper()
	b.ReportAllocs()
	p := &population{store: be.New(b, store.Policy{})}
	for i := range 2000 {
		p.reqs = append(p.reqs, request(numbered("user", i/2), device(i%2), token(i)))
		p.measure(b, registerCall(p.reqs[i]))
	}
	return p
}

func (p *population) measure(b *testing.B, do call) {
	if _, err := repeat(b.Context(), func(ctx context.Context) error { return do(ctx, p.store) }); err != nil {
		b.Error(err)
	}
}

func (p *population) pick(n int) tokens.Request { return p.reqs[n%len(p.reqs)] }

func numbered(name string, n int) tokens.UserID { return tokens.UserID(name + "-" + strconv.Itoa(n)) }
