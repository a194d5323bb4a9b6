// Package store is the contract between a registry of push tokens and whatever
// keeps it: the [Store] interface, the errors that its methods return, and the
// [Policy] that decides a store's answers.
//
// Package memstore keeps registrations in memory, package dynamostore on
// Amazon DynamoDB. Package storetest is the suite that a store of your own has
// to pass.
//
// # What every store does alike
//
// A token belongs to at most one registration. Register gives it to the caller's
// and takes it from any other, in one atomic step.
//
// Expiry. Every Register sets [tokens.Registration.ExpiresAt] to now + TTL. Get,
// List, Holder and the result of Register treat an expired registration as
// absent, whether or not it is still stored. Deactivate, Invalidate, Delete and
// DeleteUser act on whatever is stored, and succeed where nothing is: a fast
// clock must not swallow a logout, nor leave personal data behind.
//
// Inactive registrations. Get and Holder return them, marked; List leaves them
// out. Register makes one active again.
//
// Concurrency. Every method may be called from any number of goroutines and
// processes at once. Each call takes effect at one instant between its start and
// its end, DeleteUser once for each registration. Of two writes the one applied
// last wins. The declared exceptions are those of [Store].
//
// Repeats. A call whose answer was lost may have happened. Repeating it is
// safe, but applies it again, after whatever came between: an app awaits or
// cancels one call before it sends the next. Only one answer can tell that a
// token moved; a repeat finds it at home.
//
// Clocks. The clock of [Policy] decides expiry, the order of the device limit and,
// with the sender's, Invalidate. It decides nothing else: between two writes,
// clocks do not matter.
//
// Contexts. A call whose context is done returns the context's error and has no
// effect. If the context ends during a write, the error matches both the
// context's and [ErrTryAgain], since the write may have happened.
//
// Values. Arguments are not kept and results are the caller's: changing either
// afterwards changes nothing in the store.
//
// Policies. One that comes from outside is checked with [Policy.WithDefaults]
// before it reaches a constructor; memstore's panics on a bad one.
//
// Invalid arguments. They are refused with a [*tokens.InvalidError] before
// anything is read or written.
package store
