package oidcauth

import (
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"
)

// A Kind is a kind of token. It determines which tokens are accepted and which claim names
// the audience. The zero value is invalid.
type Kind string

// The kinds of token. The claim token_use distinguishes Cognito's; see "Using tokens" in
// the developer guide of Amazon Cognito.
//
// All kinds refuse a token with a header typ other than JWT and at+jwt (RFC 8725, section
// 3.11); the header may be absent. They also refuse security event tokens, such as
// logout tokens (RFC 8417, section 2.2).
const (
	// Standard: the claim aud has the audience (RFC 7519, section 4.1.3). It also
	// accepts an ID token whose aud is the audience, because most issuers do not mark
	// ID tokens. The aud of an ID token is the app's client id. To refuse ID tokens,
	// use an audience that names the service, or Access.
	Standard Kind = "standard"
	// Access: an access token of RFC 9068. Its header typ is at+jwt, and its claim aud
	// has the audience.
	Access Kind = "access"
	// CognitoAccess: token_use is "access", and client_id is the audience.
	CognitoAccess Kind = "cognito-access"
	// CognitoID: token_use is "id", and aud has the audience.
	CognitoID Kind = "cognito-id"
)

// audienceClaims are the claims with the audience, by kind.
var audienceClaims = map[Kind]string{Standard: "aud", Access: "aud", CognitoAccess: "client_id", CognitoID: "aud"}

// claims are the claims that are read. The decoder is go-jose's: unlike encoding/json it
// compares names case-sensitively and refuses duplicates. A claim that only some settings
// need is decoded only for these, so that its type does not matter otherwise.
type claims struct {
	Issuer    string           `json:"iss"`
	Subject   string           `json:"sub"`
	Expiry    *jwt.NumericDate `json:"exp"`
	NotBefore *jwt.NumericDate `json:"nbf"`
	IssuedAt  *jwt.NumericDate `json:"iat"`

	Audience        json.RawMessage `json:"aud"`
	AuthorizedParty json.RawMessage `json:"azp"`
	ClientID        json.RawMessage `json:"client_id"`
	OktaClientID    json.RawMessage `json:"cid"`
	TokenUse        json.RawMessage `json:"token_use"` // Cognito's
	Events          json.RawMessage `json:"events"`
}

// checkKind returns "" if the configuration accepts the token's kind and audience, and
// otherwise the reason why not.
func (c Config) checkKind(header jose.Header, claims claims) string {
	typ, ok := mediaType(header)
	switch {
	case !ok, typ != "" && typ != "jwt" && typ != "at+jwt":
		return "header typ is neither JWT nor at+jwt"
	case c.Kind == Access && typ != "at+jwt":
		return "header typ is not at+jwt"
	case isSecurityEvent(claims.Events):
		return "a security event such as a logout"
	case c.Kind == CognitoID && text(claims.TokenUse) != "id":
		return "not an ID token"
	case c.Kind == CognitoAccess && text(claims.TokenUse) != "access":
		return "not an access token"
	}
	var audiences jwt.Audience
	switch c.AudienceClaim {
	case "azp":
		audiences = jwt.Audience{text(claims.AuthorizedParty)}
	case "client_id":
		audiences = jwt.Audience{text(claims.ClientID)}
	case "cid":
		audiences = jwt.Audience{text(claims.OktaClientID)}
	default:
		if claims.Audience != nil && json.Unmarshal(claims.Audience, &audiences) != nil {
			return "claims are malformed"
		}
	}
	if !slices.ContainsFunc(audiences, c.isAudience) {
		return "wrong audience: " + c.AudienceClaim
	}
	return ""
}

func (c Config) isAudience(name string) bool {
	return name == c.Audience || slices.Contains(c.OtherAudiences, name)
}

// mediaType returns the header typ in lower case and without the optional prefix
// application/ (RFC 7515, section 4.1.9). It returns false if typ is not a string.
func mediaType(header jose.Header) (string, bool) {
	value, there := header.ExtraHeaders[jose.HeaderType]
	typ, ok := value.(string)
	return strings.TrimPrefix(strings.ToLower(typ), "application/"), ok || !there
}

// isSecurityEvent reports whether the claim events is an object, which only security event
// tokens have.
func isSecurityEvent(events json.RawMessage) bool {
	var byType map[string]json.RawMessage
	return events != nil && json.Unmarshal(events, &byType) == nil && byType != nil
}

// text returns the string value of a claim, or "" if the value is not a string.
func text(claim json.RawMessage) string {
	var s string
	if claim == nil || json.Unmarshal(claim, &s) != nil {
		return ""
	}
	return s
}
