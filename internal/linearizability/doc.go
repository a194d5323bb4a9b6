// Package linearizability checks short histories of concurrent calls against a
// sequential model of a store: each call must have the effect of one instant between
// its start and its end.
//
// The histories do not reach the device limit, and the clock stands still. DeleteUser
// and List are one step for each registration, because List is not a snapshot. Holder
// may return [store.ErrTryAgain]. A write that returns it may have been applied, or may
// be applied at any later time.
package linearizability
