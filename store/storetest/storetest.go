package storetest

import (
	"slices"
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

// spends returns the duration of a check that takes long in a long run.
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

// checks returns the checks that apply to the backend.
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
