// Package memstore implements [store.Store] in memory, for tests and for local
// servers. The registrations are lost when the process ends. It is also the
// shortest complete implementation: read it to learn what a store has to do.
//
//	s := memstore.MustNew(store.Policy{})
//
// A test of expiry sets the clock:
//
//	now := time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)
//	s := memstore.MustNew(store.Policy{Now: func() time.Time { return now }})
//
// # Rules that bind
//
//   - A [Store] uses none of the exceptions that [store.Store] allows: the device
//     limit is exact and List is a snapshot. No method returns
//     [store.ErrTryAgain], [store.ErrMisconfigured] or a [*store.CorruptError].
//   - The time of a call grows with the number of the user's devices. The store is
//     made for users with few devices.
//   - A [Store] starts no goroutine and needs no Close. Each call first removes
//     the registrations that have expired since the last one. After days without
//     a call, a million expired registrations take seconds to remove. Go's maps
//     keep that memory for later registrations, about 150 bytes for each.
//   - If the clock is set back, expired registrations are removed later by that
//     difference. If the clock is fast, registrations that it shows as expired are
//     removed. In both cases the store keeps the contract.
package memstore
