package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A Backend is a store under test: how to make one, and in which of the ways
// that [store.Store] allows it differs from the others.
type Backend struct {
	// New returns an empty store that shares nothing with those before it,
	// under the policy, which is valid; what is zero in it, the store has to
	// fill in. It is called once for each check and each benchmark. t.Cleanup
	// is the place to close what it opened, and t.Fatal the answer to what
	// goes wrong.
	New func(t testing.TB, p store.Policy) store.Store

	// LooseLimit says that k concurrent registrations of new devices may
	// exceed a user's device limit by k − 1 until the next new one.
	LooseLimit bool
	// LooseHolder says that Holder may answer ErrTryAgain under contention.
	LooseHolder bool
	// LooseList says that List is no snapshot: while a token moves between
	// two devices of a user, it may show both or neither.
	LooseList bool

	// Again returns another handle on the data of a store that New or Again
	// made, under the policy, as another process has one. It is nil where a
	// store has one handle only; then the suite leaves out the checks with two.
	Again func(t testing.TB, s store.Store, p store.Policy) store.Store

	// Inspector and Importer say that the store, or what it wraps, is a
	// [store.Inspector] or a [store.Importer].
	Inspector, Importer bool
	// Walker returns a [store.Walker] over what the store holds, a new one at
	// each call; it may be the store itself. It is nil if there is none.
	Walker func(t testing.TB, s store.Store) store.Walker

	// Long makes the suite spend four times as long on the checks that race, and
	// try all that a slow store has some of otherwise.
	Long bool

	// Corrupt makes what the store holds under the key something that it
	// cannot decode, but still knows to be there. It is nil where that cannot
	// be; then the suite leaves out what the contract says of it.
	Corrupt func(t testing.TB, s store.Store, key tokens.Key)
}

// spends returns how long a check goes on that is given so long in a long run.
func (b Backend) spends(long time.Duration) time.Duration {
	if b.Long {
		return long
	}
	return long / 4
}

// Run runs every check as a subtest of t, each on a store of its own. A check
// that fails also logs the name of the rule of package store that it is about.
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

// checks returns those that the backend can be put to.
func checks(b Backend) []check {
	all := slices.Concat(
		registerChecks, moveChecks, limitChecks, evictionChecks,
		getChecks, listChecks, holderChecks,
		deactivateChecks, invalidateChecks,
		deleteChecks, deleteUserChecks,
		expiryChecks, clockChecks,
		keyChecks, valueChecks, invalidChecks, contextChecks,
		sizeChecks, sequenceChecks,
		raceChecks, raceRemovalChecks, raceReadChecks, pairChecks, endingChecks,
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
