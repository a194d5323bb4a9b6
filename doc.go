// Package devicetokens is the root of a library that keeps Expo push tokens:
// which tokens reach a user now, and never somebody else. A phone that changes
// hands takes its token along, since a token belongs to at most one registration,
// atomically.
//
// The root holds no code. What you import:
//
//   - [github.com/devicetokens/devicetokens/tokens]: the model and its validation.
//   - [github.com/devicetokens/devicetokens/store]: the contract of a store, and
//     helpers over it; store/storetest is the suite that every store passes.
//   - [github.com/devicetokens/devicetokens/memstore]: a store in memory, for tests
//     and for local work.
//   - [github.com/devicetokens/devicetokens/dynamostore]: a store on Amazon
//     DynamoDB, with no index and one round trip on the hot path.
//   - [github.com/devicetokens/devicetokens/httpapi]: an [net/http.Handler] that
//     apps talk to; its module httpapi/oidcauth knows callers by the bearer
//     tokens of an OpenID Connect issuer.
//
// In ten lines:
//
//	s := memstore.MustNew(store.Policy{}) // on DynamoDB: s, err := dynamostore.New(client, "device-tokens", dynamostore.Options{})
//
//	token, err := tokens.ParseToken("ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]")
//	if err != nil { … }
//	result, err := s.Register(ctx, tokens.Request{
//		Key:      tokens.Key{UserID: "alice", DeviceID: "phone-1"},
//		Token:    token,
//		Platform: tokens.IOS,
//	})
//	if err != nil { … }
//	registrations, err := s.List(ctx, "alice") // what reaches alice now
//
// # Rules that bind
//
//   - The user id comes from your authentication, never from the app's request.
//   - A token is a credential. [tokens.Token.Reveal] is the only way out; call it
//     where the message to Expo is made, and just before it is sent.
//   - Apps register at each launch. What is not registered again expires, by
//     default after 90 days.
//   - On logout, Deactivate. When Expo reports DeviceNotRegistered, Invalidate, with
//     the time at which the message was sent.
//   - [store.ErrTryAgain] means: answer 503, or repeat. [store.ErrMisconfigured]
//     means: wake somebody.
//   - Tests of your own code use memstore. It has the same contract, held by the
//     same suite.
package devicetokens
