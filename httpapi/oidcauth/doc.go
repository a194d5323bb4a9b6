// Package oidcauth authenticates the callers of package httpapi by bearer tokens
// of one OpenID Connect issuer, verified in process.
//
//	authenticate, err := oidcauth.New(oidcauth.Config{
//		Issuer:   "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI",
//		Audience: "6kq3example",
//		Kind:     oidcauth.CognitoAccess,
//	})
//	if err != nil { … }
//	handler := httpapi.New(s, authenticate, httpapi.Options{})
//
// The user is the token's claim sub, which is unique within one issuer only: an
// authenticator has one, and so has the store behind it.
//
// # What is verified
//
//   - The request has one Authorization header with a bearer token (RFC 6750),
//     which is a JWT in compact form, signed with an algorithm of
//     [Config].Algorithms by a key of the issuer.
//   - iss is the issuer, to the letter. exp is there and has not passed; nbf and
//     iat, if they are there, are not in the future; all within [Config].Leeway.
//   - The token is of the [Kind], and was made for the audience.
//   - sub is there.
//
// Anything else is [httpapi.ErrUnauthenticated]. What the errors say never
// contains any of the token, so it may be logged.
//
// # The issuer's keys
//
// The first request that needs them fetches the keys by OpenID Connect Discovery;
// New makes no request. They are kept for an hour. A token that none of them
// verifies has them fetched again at once, since the issuer may have a new key.
//
// However many requests wait for the keys, there is one fetch at a time, of at
// most 5 seconds; and however many tokens nobody issued arrive, there are at most
// 5 fetches in a row and then one in 10 seconds.
//
// If the keys cannot be fetched, those that are there count for a day after they
// were fetched. A token that they do not verify is [store.ErrTryAgain] then, and
// never ErrUnauthenticated: the token may be good, and an app that is told
// otherwise logs its user out.
//
// A caller waits for a fetch no longer than its request's context lets it. So
// while the issuer is down, once the keys are older than an hour, up to 5 seconds
// in 10 are spent waiting for it: keys that it may have revoked are not used
// without asking.
package oidcauth
