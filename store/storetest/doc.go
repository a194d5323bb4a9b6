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
// The suite is itself tested: it rejects stores that each break one rule.
//
// # Rules that bind
//
//   - The suite sets the clock in [store.Policy], and a store that uses another
//     clock fails. Its times are decades ahead, so that a database that expires
//     rows by its own clock keeps them.
//   - Each check has a new store. The checks run one after another.
//   - The rule corrupt is checked if [Backend].Corrupt is set. The suite does not
//     check [store.ErrMisconfigured] and throttling, because it cannot cause them.
//   - The checks of pairs run two calls concurrently, and compare their results and
//     the stored data with both serial orders. The second call begins with the
//     first, or when the first reads the clock or uses its context. A slow store
//     gets fewer rounds and a random sample of the pairs. [Backend].Long gives it
//     four times as long and all pairs.
//   - Some checks end a call's context at the n-th use that the store makes of it
//     or of the clock, for n from 1 on. The stored data must then be as before the
//     call or as after it.
//   - Two stores on the same data are checked if [Backend].Again is set. Set it for
//     a store that caches or locks within its process.
//   - [store.Inspector], [store.Walker] and [store.Importer] are checked if the
//     backend declares them. Checks that need a user with a thousand devices
//     import them if the store can, because that is faster.
//   - A store must not return [store.ErrTryAgain] to a single caller. A check with
//     concurrent calls repeats a call that returns it.
package storetest
