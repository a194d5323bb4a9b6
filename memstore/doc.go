// Package memstore keeps registrations in memory. It is the store of tests, of
// local servers and of whatever may forget its users' devices when it stops, and
// it is the contract of package store in its shortest form: read it to learn
// what a store has to do.
//
//	s := memstore.MustNew(store.Policy{})
//
// A test that waits for nothing sets the clock itself:
//
//	now := time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)
//	s := memstore.MustNew(store.Policy{Now: func() time.Time { return now }})
//
// # Rules that bind
//
//   - A [Store] differs from the contract in none of the ways that it allows:
//     the device limit is exact, Holder never answers [store.ErrTryAgain], and
//     List is a snapshot. No method returns [store.ErrTryAgain],
//     [store.ErrMisconfigured] or a [*store.CorruptError].
//   - A call takes longer the more devices its user has: it is made for a few.
//   - There is nothing to close. A [Store] starts no goroutine, and each call
//     first frees what has expired since the last one. Where a million
//     registrations did, because none came for days, that takes seconds. Go's
//     maps keep their room, some 150 bytes a registration, for later ones.
//   - A clock that is set back delays that by as much as it was set back, and
//     one that runs ahead loses the registrations which it takes for expired.
//     Neither changes what the contract promises.
package memstore
