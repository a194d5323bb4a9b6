// Package storetest tests implementations of [store.Store]. Each check tests one rule
// in the comment of package store, and each rule has a check:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, storetest.Backend{New: newStore})
//	}
//
//	func newStore(t testing.TB, p store.Policy) store.Store {
//		s, err := mystore.Open(t.TempDir(), p)
//		if err != nil {
//			t.Fatal(err)
//		}
//		t.Cleanup(s.Close)
//		return s
//	}
//
// The suite has tests of its own: it rejects stores that each break one rule.
//
// # Rules that bind
//
//   - The suite sets the clock in [store.Policy], and a store that uses another
//     clock fails. Its times are decades ahead, so that a database that expires
//     rows by its own clock keeps them.
//   - Each check has a new store. The checks run one after another.
//   - The rule corrupt is checked if [Backend].Corrupt is set. The suite does not
//     check [store.ErrMisconfigured] and throttling, because it cannot cause them.
//   - The checks Pairs run two calls concurrently, and compare their results and
//     the stored data with both serial orders. The second call begins with the
//     first, or when the first reads the clock or uses its context. On a slow store
//     they try fewer rounds and a random sample of the pairs; with [Backend].Long
//     they take four times as long and try all pairs.
//   - The checks Ending end a call's context while the store uses it or reads the
//     clock. The stored data must then be as before the call or as after it.
//   - Two stores on the same data are checked if [Backend].Again is set. Set it for
//     a store that caches or locks within its process.
//   - [store.Inspector], [store.Walker] and [store.Importer] are checked if the
//     backend declares them. Checks that need a user with a thousand devices
//     import them if the store can, because that is faster.
//   - A store must not return [store.ErrTryAgain] to a single caller. A check with
//     concurrent calls repeats a call that returns it.
package storetest
