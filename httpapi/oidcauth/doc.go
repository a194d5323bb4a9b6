// Package oidcauth authenticates the requests of package httpapi with the bearer
// tokens of one OpenID Connect issuer. It verifies the tokens in process.
//
//	authenticate, err := oidcauth.New(oidcauth.Config{
//		Issuer:   "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI",
//		Audience: "6kq3example",
//		Kind:     oidcauth.CognitoAccess,
//	})
//	if err != nil { … }
//	handler, err := httpapi.New(s, authenticate, httpapi.Options{})
//
// The user id is the token's claim sub, which is unique within one issuer only. An
// authenticator therefore accepts one issuer, and a store must not hold users of several.
//
// # What is verified
//
//   - The request has one Authorization header with a bearer token (RFC 6750). The token
//     is a JWT in compact form with valid Unicode claims. A key of the issuer signed it,
//     with one of [Config].Algorithms.
//   - Its header typ is absent, JWT or at+jwt, and it is not a security event token.
//   - iss equals the issuer exactly. exp is present and has not passed. nbf and iat,
//     if present, are not in the future. All times are within [Config].Leeway.
//   - The token is of the [Kind], and its audience is [Config].Audience or one of
//     OtherAudiences.
//   - sub is present and not empty.
//
// For any other token the error is [httpapi.ErrUnauthenticated]. Error texts contain
// no part of the token and may be logged. Scopes and roles are not verified.
//
// Package oidctest is an issuer for tests.
//
// # What the providers need
//
// Each entry lists the settings besides Issuer, Audience and Kind [Standard].
//
//   - Auth0: Issuer ends with a slash, https://NAME.eu.auth0.com/. Audience is the
//     API's identifier. Kind is [Access] if the API has the token profile RFC 9068.
//   - Clerk: a session token has no aud, so create a JWT template with the claim aud.
//     For a web app you can instead set AudienceClaim to azp and Audience to the app's
//     origin. The token of a native app may have no azp.
//   - Keycloak: an audience mapper puts the API into aud. Without one, set
//     AudienceClaim to azp and Audience to the client id. Kind is [Access] if the
//     client has the attribute access.token.header.type.rfc9068. If Keycloak is at an
//     internal address, set DiscoveryURL, and AllowHTTP if that address has no TLS. If
//     the metadata names a jwks_uri that cannot be reached, set KeysURL instead.
//   - Azure AD B2C: the address of the metadata contains the policy, which Issuer does
//     not, so set DiscoveryURL.
//   - Amazon Cognito: Kind is [CognitoAccess] or [CognitoID], and Audience is the id of
//     the app client. OtherAudiences are further app clients of the same user pool. Two
//     user pools are two issuers, and an authenticator accepts one.
//   - Okta: Issuer is a custom authorization server, such as
//     https://NAME.okta.com/oauth2/default, and Audience is api://default. To
//     accept the tokens of some apps only, set AudienceClaim to cid and Audience to
//     the client id. Only Okta can verify the tokens of the org authorization server.
//   - An issuer whose metadata names another issuer than its tokens, for example with a
//     trailing slash: set MetadataIssuer to the issuer in the metadata.
//   - An issuer that signs with Ed25519: Algorithms is EdDSA. A token whose header
//     alg is Ed25519 (RFC 9864) is refused.
//
// # The issuer's keys
//
// New makes no request. The keys are fetched when a token first needs them, from KeysURL
// or from the address that OpenID Connect Discovery returns. They are kept for an hour. If
// none of them verifies a token, they are fetched again at once, because the issuer may
// have a new key.
//
// Of a key, only the members that verify a signature are read, and not its certificates.
//
// There is one fetch at a time. It takes at most 5 seconds, and all waiting requests share
// it. After 5 fetches in a row, there is at most one fetch in 10 seconds, however many
// forged tokens arrive.
//
// ErrUnauthenticated makes an app log its user out. If the token may be valid, the error
// is therefore [store.ErrTryAgain]:
//
//   - The keys cannot be fetched. Keys that were fetched before remain valid for a day.
//   - No fetch is allowed yet, and the token names an unknown key, which may be new.
//   - The issuer publishes the key that the token names, but the key cannot be used,
//     because it cannot be parsed, is too short, private, or for another use.
//
// A call waits for a fetch until its request's context ends. If the keys are older than an
// hour, the issuer may have revoked one. Requests then wait for a fetch first, so while the
// issuer is down they wait up to 5 of every 10 seconds.
package oidcauth
