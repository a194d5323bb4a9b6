// Package store defines the contract of a store of push tokens: the [Store]
// interface, its errors, and the [Policy] for expiry and the device limit.
//
// Package memstore implements the contract in memory, package sqlstore on
// PostgreSQL and SQLite, and package dynamostore on Amazon DynamoDB. Package
// storetest tests any implementation, including yours.
//
// # Rules
//
// Each rule has a name. A failed check of storetest prints the name of the rule
// that the store breaks. A registration is live until it expires. A live
// registration is active or inactive: see [tokens.Status].
//
// Tokens:
//
//   - one-holder: at every instant, a token belongs to at most one registration.
//   - take-over: Register moves the token to the caller's registration and
//     removes the registration that held it, in one atomic step.
//   - moved-from: Result.MovedFrom is the key of the registration that lost the
//     token, if that was live, active and another user's. Otherwise it is zero,
//     also when the call is repeated. A store may also report a registration that
//     cannot be decoded.
//   - spelling: two spellings of a token are the same token. A registration has
//     the spelling of the last Register. A store keeps the text that
//     [tokens.Token.Reveal] returns.
//
// Register:
//
//   - created: if the registration under the key is absent, expired or cannot be
//     decoded, Register creates one. Its RegisteredAt and UpdatedAt are now. Over
//     one that cannot be decoded, RegisteredAt may be the stored one instead.
//   - refreshed: a live registration with the same token keeps RegisteredAt and
//     becomes active. UpdatedAt, ExpiresAt, platform and project are those of
//     this call. An empty ProjectID clears the stored one. A RegisteredAt that
//     is zero may become now.
//   - replaced: a live registration with another token changes in the same way.
//     Its previous token is free.
//   - result: Result.Registration is the stored registration after the call.
//   - limit: a user has at most [Policy].MaxDevices live registrations. Creating
//     a registration removes others of the user until there is room, at most
//     [MaxEvictions] in one call. A refresh or a replacement removes none. A
//     registration of the user that loses its token to this call is not counted.
//   - eviction-order: [EvictionOrder] decides which registrations are removed,
//     never the new one. Result.Evicted has their keys in that order.
//
// Reads:
//
//   - get: Get returns the live registration under the key, active or not.
//   - list: List returns the user's live, active registrations and no others,
//     ordered by device id (bytes).
//   - holder: Holder returns the live registration that holds the token, active
//     or not.
//   - corrupt: for a registration that cannot be decoded, Get and Holder return a
//     [*CorruptError], List omits it, Deactivate and Invalidate return nil and do
//     not erase it, and Delete and DeleteUser erase it.
//
// Deactivate, Invalidate, Delete and DeleteUser also change expired registrations
// that are still stored, so that a server whose clock is fast does not ignore a
// logout. If no registration is stored, they return nil.
//
//   - deactivate: Deactivate gives an active registration the status LoggedOut.
//   - invalidate: Invalidate gives an active registration the status
//     DeviceNotRegistered if it has the token and its UpdatedAt is at least
//     [ClockSkew] before sentAt, or zero.
//   - first-reason: an inactive registration keeps its status until a Register.
//   - delete: Delete erases the registration under the key and frees its token.
//   - delete-user: DeleteUser erases every registration of the user and frees
//     their tokens, each in one atomic step. A registration that is created
//     during the call may survive.
//   - own-key: Deactivate, Invalidate, Delete and DeleteUser change nothing under
//     other keys.
//
// Optional interfaces:
//
//   - inspect: Inspect returns every registration that is stored for the user,
//     ordered by device id (bytes): inactive ones, expired ones that are still
//     stored, and a [*CorruptError] for each that cannot be decoded.
//   - walk: the pages of a walk return what Inspect returns, for all users, and
//     no other data of the store. A walk ends. It returns at least once each key
//     that is stored throughout the walk, even if rows are written between two
//     pages. A page has at most limit records, each as it is stored when the page
//     is read. A cursor may be used again, later and by another process.
//   - import: Import does what [Policy.PlanImport] decides, in one atomic step.
//     It may exceed the device limit. The next new device restores the limit.
//
// Time:
//
//   - expiry: Register sets ExpiresAt to [Policy.Expiry] of now. Get, List,
//     Holder and Register treat an expired registration as absent, even if it is
//     still stored.
//   - clock: each call reads the clock of the policy at most once, between
//     its start and its end. Times are stored in UTC, truncated to
//     milliseconds; ExpiresAt is in whole seconds.
//   - last-wins: of two writes, the last one to be applied wins, regardless of
//     the clock. No write compares the times of two registrations, except
//     Invalidate and [Importer].
//
// Calls:
//
//   - keys: ids are compared byte for byte. Keys that differ in one byte are
//     different keys.
//   - one-instant: any number of goroutines and processes may call the methods of
//     any number of stores on the same data. Each call is linearizable: it takes
//     effect at one instant between its start and its end. DeleteUser does so for
//     each registration separately. [Store] lists the exceptions that a store may
//     declare.
//   - repeat: a call may be repeated. The repeated call is applied again, after
//     any writes in between.
//   - invalid: a call with an invalid argument returns a [*tokens.InvalidError]
//     that names every invalid field and contains none of the input, even if the
//     context is done. It reads and writes nothing.
//   - context: a call whose context is done returns the context's error and has no
//     effect. If the context ends during a write, the call either succeeds or
//     returns an error that matches both the context's error and [ErrTryAgain].
//     In the second case the write has been applied completely, is applied
//     completely a little later, or is never applied. The context's error is
//     ctx.Err(), not the cause that the caller gave.
//   - values: a store keeps no reference to its arguments or results. Changing
//     them after the call changes nothing in the store, and later calls do not
//     change a result.
//
// # Growth
//
// [Store] is frozen at v1. A new ability becomes an optional interface, like
// [Inspector], [Walker] and [Importer]. The functions [Inspect], [Segments],
// [Page] and [Import] look for the interface on the store and then behind its
// wrappers. A wrapper that only observes calls has the method Unwrap() Store. A
// wrapper that changes calls, because it prefixes ids, encrypts or caches,
// implements the optional interfaces itself. If no store in the chain has the
// interface, the functions return [errors.ErrUnsupported].
package store
