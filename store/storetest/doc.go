// Package storetest tests implementations of [store.Store]. Each check is about
// one rule in the comment of package store, and each rule has a check:
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
// The suite is itself tested on stores that each break one rule; it has to
// reject every one of them.
//
// # Rules that bind
//
//   - The suite sets the clock, through [store.Policy]: a store that reads
//     another one fails. The times are some decades ahead, so that a database
//     which expires rows by its own clock keeps them.
//   - Each check has a fresh store, and the checks run one after another.
//   - What the contract says of rows that cannot be decoded is checked where
//     the backend can make some. [store.ErrMisconfigured], and throttling, are
//     left to a store's own tests: the suite cannot bring them about.
//   - The checks of pairs run two calls at once, and compare the answers and what
//     is stored afterwards with both serial orders of the two. A call begins with
//     the other, or where the other reads the clock or uses its context. A slow
//     store has fewer rounds, and of all pairs some, which are others each time.
//     [Backend].Long gives them four times as long, and a slow store all pairs.
//   - Some checks end a call's context at the n-th use that the store makes of it
//     or of the clock, for n from 1 on. What is stored then has to be as before
//     the call or as after it.
//   - Two handles on the same data are checked where the backend has
//     [Backend].Again. A store that caches, or locks in its process, needs it.
//   - [store.Inspector], [store.Walker] and [store.Importer] are checked where the
//     backend declares them. The checks that need a user with a thousand devices
//     import them, if the store can, because that is faster.
//   - A store with one caller has no reason for [store.ErrTryAgain]. Where a
//     check makes calls at once, it repeats those that are answered with it.
package storetest
