// Package linearizability checks short histories of concurrent calls against a
// sequential model of a store: each call has to look as if it had happened at
// one instant between its beginning and its end.
//
// The device limit is never reached, and the clock stands still. DeleteUser is
// one step for each registration, and so is List, which is no snapshot. Holder
// may answer [store.ErrTryAgain]; a write that did may have been applied, or may
// be at any time later.
package linearizability
