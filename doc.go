// Package devicetokens is the root of a library that keeps Expo push tokens. It
// guarantees that a token belongs to at most one registration, so a user's messages
// do not reach a phone that another user has logged in on.
//
// The root has no code. Import these packages:
//
//   - [github.com/devicetokens/devicetokens/tokens]: the types and their validation.
//   - [github.com/devicetokens/devicetokens/store]: the contract of a store.
//     Package store/storetest tests any implementation.
//   - [github.com/devicetokens/devicetokens/memstore]: a store in memory, for tests
//     and local work.
//   - [github.com/devicetokens/devicetokens/sqlstore]: a store on PostgreSQL or
//     SQLite.
//   - [github.com/devicetokens/devicetokens/dynamostore]: a store on Amazon
//     DynamoDB, without an index and with one round trip per ordinary app launch.
//   - [github.com/devicetokens/devicetokens/httpapi]: an [net/http.Handler] for the
//     app. Its module httpapi/oidcauth authenticates requests with bearer tokens of
//     an OpenID Connect issuer.
//
// The example below shows a complete use.
//
// # Rules that bind
//
//   - Take the user id from your authentication, never from the app's request.
//   - A token is a credential. Call [tokens.Token.Reveal] only where the message to
//     Expo is built, just before it is sent.
//   - Apps register at each launch. A registration that is not refreshed expires, by
//     default after 90 days.
//   - Call Deactivate on logout. Call Invalidate when Expo reports
//     DeviceNotRegistered, with the time at which the message was sent.
//   - On [store.ErrTryAgain], retry with backoff or respond 503. On
//     [store.ErrMisconfigured], alert an operator.
//   - Use memstore in tests of your own code. It follows the same contract and
//     passes the same suite as the other stores.
package devicetokens
