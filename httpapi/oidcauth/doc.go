// Package oidcauth authenticates the callers of package httpapi by bearer tokens
// of one OpenID Connect issuer, verified in process.
//
//	authenticate, err := oidcauth.New(oidcauth.Config{
//		Issuer:   "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI",
//		Audience: "6kq3example",
//		Kind:     oidcauth.CognitoAccess,
//	})
//	if err != nil { … }
//	handler, err := httpapi.New(s, authenticate, httpapi.Options{})
//
// The user is the token's claim sub, which is unique within one issuer only: an
// authenticator has one, and so has the store behind it.
//
// # What is verified
//
//   - The request has one Authorization header with a bearer token (RFC 6750),
//     which is a JWT in compact form, signed with an algorithm of
//     [Config].Algorithms by a key of the issuer. Its payload is valid Unicode.
//   - Its header typ is absent, JWT or at+jwt, and it has no security events.
//   - iss is the issuer, to the letter. exp is there and has not passed; nbf and
//     iat, if they are there, are not in the future; all within [Config].Leeway.
//   - The token is of the [Kind], and was made for an audience of the Config.
//   - sub is there.
//
// Anything else is [httpapi.ErrUnauthenticated]. What the errors say never
// contains any of the token, so it may be logged.
//
// # What the providers need
//
// Each entry lists the settings besides Issuer, Audience and Kind [Standard].
//
//   - Auth0: Issuer ends with a slash, https://NAME.eu.auth0.com/. Audience is the
//     API's identifier. Kind is [Access] if the API has the token profile RFC 9068.
//   - Clerk: a session token has no aud. Give the app a JWT template with the claim
//     aud. The azp of a session token is the origin of a web app, and a native app
//     may have none; for a web app, set AudienceClaim to azp and Audience to its
//     origin.
//   - Keycloak: an audience mapper puts the API into aud. Without one, set
//     AudienceClaim to azp and Audience to the client id. Kind is [Access] if the
//     client has the attribute access.token.header.type.rfc9068. For a server that
//     is reached at an internal address, set DiscoveryURL, and AllowHTTP if it has
//     no TLS there; set KeysURL instead if the metadata names a jwks_uri that
//     cannot be reached.
//   - Azure AD B2C: the policy is in the path of the metadata and not in Issuer, so
//     set DiscoveryURL.
//   - Amazon Cognito: Kind is [CognitoAccess] or [CognitoID], and Audience the app
//     client. OtherAudiences has further app clients of the same user pool. Two
//     pools are two issuers, and an authenticator has one.
//   - Okta: Issuer is a custom authorization server, such as
//     https://NAME.okta.com/oauth2/default, and Audience is api://default. To
//     accept the tokens of some apps only, set AudienceClaim to cid and Audience to
//     the client id. The tokens of the org authorization server are for Okta alone.
//   - An issuer whose metadata and tokens differ, by a trailing slash for example:
//     MetadataIssuer is the metadata's issuer.
//   - An issuer that signs with Ed25519: Algorithms is EdDSA. A token whose header
//     alg is Ed25519 (RFC 9864) is refused.
//
// # The issuer's keys
//
// The first request that needs them fetches the keys by OpenID Connect Discovery;
// New makes no request. They are kept for an hour. A token that none of them
// verifies has them fetched again at once, since the issuer may have a new key.
//
// Of a key only the members that verify a signature are read, never a
// certificate.
//
// There is one fetch at a time, of at most 5 seconds, however many requests wait
// for it. There are at most 5 fetches in a row and then one in 10 seconds, however
// many forged tokens arrive.
//
// The error is [store.ErrTryAgain], and never ErrUnauthenticated, whenever the
// token may be good, because an app that is told otherwise logs its user out:
//
//   - The keys cannot be fetched. Those that are there count for a day after they
//     were fetched.
//   - No fetch is allowed yet, and the token names no key that is there: the issuer
//     may have a new one.
//   - The key that the token names is published but cannot be used, because it
//     cannot be read, is too short, private, or for another use.
//
// A caller waits for a fetch no longer than its request's context lets it. While
// the issuer is down and the keys are older than an hour, requests wait for it up to
// 5 seconds in 10, because the issuer may have revoked a key.
package oidcauth
