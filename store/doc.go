// Package store is the contract between a registry of push tokens and the
// database that keeps it: the [Store] interface, the errors that its methods
// return, and the [Policy] that decides expiry and the device limit.
//
// Package memstore implements the contract in memory and package dynamostore on
// Amazon DynamoDB. Package storetest tests any implementation, yours too.
//
// # Rules
//
// Each rule has a name. A check of storetest that fails prints the name of the
// rule that the store breaks. A registration is live until it expires.
//
// Tokens:
//
//   - one-holder: at every instant, a token belongs to at most one registration.
//   - take-over: Register moves the token to the caller's registration and
//     removes the registration that held it, in one atomic step.
//   - moved-from: Result.MovedFrom is the key of the registration that lost the
//     token if that was live, active and another user's; it is zero otherwise.
//     On a repeat of the call it is zero.
//   - spelling: two spellings of a token are one token, and a registration shows
//     the spelling of the last Register. A store keeps the text that
//     [tokens.Token.Reveal] returns.
//
// Register:
//
//   - created: where no live registration is under the key, or what is there
//     cannot be decoded, Register creates one, with RegisteredAt and UpdatedAt
//     now. Over one that cannot be decoded, it may keep a RegisteredAt that can
//     be read.
//   - refreshed: a live registration with the same token keeps RegisteredAt and
//     becomes active. UpdatedAt, ExpiresAt, platform and project are as of this
//     call, and an absent ProjectID clears the stored one.
//   - replaced: a live registration with another token is treated likewise. The
//     token that it had is free.
//   - result: the result is what the store holds after the call.
//   - limit: a user has at most [Policy].MaxDevices live registrations. A
//     registration that is created removes others of the user until there is
//     room, at most [MaxEvictions] at once. A refresh or a replacement removes
//     none. A registration of the user that loses the token does not count.
//   - eviction-order: [EvictionOrder] decides which registrations go. The new one
//     never does. Result.Evicted has their keys in that order.
//
// Reads:
//
//   - get: Get returns the live registration under the key, active or not.
//   - list: List returns the user's live and active registrations and nothing
//     else, ordered by device id (bytes).
//   - holder: Holder returns the live registration that holds the token, active
//     or not.
//   - corrupt: a registration that cannot be decoded does not reach the user.
//     Get and Holder return a [*CorruptError], List leaves it out, Deactivate
//     and Invalidate return nil, Delete and DeleteUser erase it.
//
// Marks and removals act on what is stored, expired or not, so that a fast clock
// swallows no log out. Where nothing is stored they return nil.
//
//   - deactivate: Deactivate gives an active registration the status LoggedOut.
//   - invalidate: Invalidate gives an active registration the status
//     DeviceNotRegistered if it has the token and its UpdatedAt is at least
//     [ClockSkew] before sentAt, or zero.
//   - first-reason: an inactive registration keeps its status until Register
//     makes it active.
//   - delete: Delete erases what is stored under the key and frees its token.
//   - delete-user: DeleteUser erases every registration of the user and frees
//     their tokens, each in one atomic step. A registration that is made while
//     it runs may survive.
//   - own-key: Deactivate, Invalidate, Delete and DeleteUser change nothing under
//     other keys.
//
// Everything that is stored, if the store has the optional interface:
//
//   - inspect: Inspect returns every registration that is stored for the user,
//     ordered by device id (bytes): inactive ones, expired ones that are still
//     stored, and a [*CorruptError] for each that cannot be decoded.
//   - walk: the pages of a walk return what Inspect does for all users, and
//     nothing that the store keeps for itself. A walk ends. A key that is stored
//     throughout comes at least once, whatever is written between two pages. A
//     page has at most limit records, each as it is stored when the page is
//     read. A cursor may be used again, later and by another process.
//   - import: Import does what [Policy.PlanImport] decides, in one atomic step.
//     The device limit does not apply, until the next new device.
//
// Time:
//
//   - expiry: Register sets ExpiresAt to [Policy.Expiry] of now. Get, List,
//     Holder and Register treat an expired registration as absent, whether or
//     not it is still stored.
//   - clock: each call reads the clock of the policy at most once, between
//     its start and its end. Times are stored in UTC, truncated to
//     milliseconds; ExpiresAt is in whole seconds.
//   - last-wins: of two writes, the one that is applied last wins, whatever the
//     clock said. No write compares the times of two registrations, except
//     Invalidate and [Importer].
//
// Calls:
//
//   - keys: ids are compared byte for byte. Keys that differ in one byte are two
//     keys.
//   - one-instant: any number of goroutines and processes may call the methods of
//     any number of handles on the same data. Each call takes effect at one
//     instant between its start and its end; DeleteUser at one instant for each
//     registration. [Store] has the exceptions that a store may declare.
//   - repeat: a call may be repeated. The repeat is applied again, after whatever
//     was written in between.
//   - invalid: a call with an invalid argument returns a [*tokens.InvalidError]
//     that names every bad field and contains none of the input. It does so even
//     if its context is done, and it reads and writes nothing.
//   - context: a call whose context is done returns the context's error and has no
//     effect. If the context ends during a write, the call either succeeds or
//     returns an error that matches both the context's error and [ErrTryAgain],
//     and the write was then applied whole or not at all.
//   - values: arguments are not kept and results are not shared. Changing either
//     after the call changes nothing in the store.
//
// # Growth
//
// [Store] is frozen at v1. A new ability is an optional interface, such as
// [Inspector], [Walker] and [Importer]. The functions [Inspect], [Page] and
// [Import] find an optional interface behind wrappers: a wrapper that only
// observes calls has the method Unwrap() Store, and a wrapper that changes
// calls (one that prefixes ids, encrypts or caches) implements the optional
// interfaces itself. Without either, the ability is absent and the functions
// return [errors.ErrUnsupported].
package store
