package oidcauth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/tokens"
)

// maxTokenBytes is more than any token has that is meant for a header.
const maxTokenBytes = 16 << 10

type verifier struct {
	config     Config
	algorithms []jose.SignatureAlgorithm
	keys       *keyCache
}

// claims are what is read of a token. The decoder is the library's: unlike
// encoding/json it takes names as they are spelled, and no name twice.
type claims struct {
	jwt.Claims
	TokenUse string `json:"token_use"` // Cognito's
	ClientID string `json:"client_id"` // of Cognito's access tokens
}

// authenticate is the [httpapi.Authenticator].
//
// The claims are looked at before the signature: no signature mends a claim that
// rules the token out, and such a token is not worth a fetch of keys. Both have to
// be good.
func (v *verifier) authenticate(r *http.Request) (tokens.UserID, error) {
	raw, err := bearerToken(r.Header["Authorization"])
	if err != nil {
		return "", err
	}
	token, err := jwt.ParseSigned(raw, v.algorithms)
	if err != nil {
		return "", refused("not a signed JWT, or not of an allowed algorithm")
	}
	var c claims
	if err := token.UnsafeClaimsWithoutVerification(&c); err != nil {
		return "", refused("claims are malformed")
	}
	if err := v.check(c); err != nil {
		return "", err
	}
	header := token.Headers[0] // the compact form has one signature
	err = v.keys.verify(r.Context(), header.KeyID, header.Algorithm, func(key jose.JSONWebKey) bool {
		return token.Claims(key.Key) == nil
	})
	if err != nil {
		return "", err
	}
	return tokens.UserID(c.Subject), nil
}

// check says what rules a token out, whoever signed it.
func (v *verifier) check(c claims) error {
	expected := jwt.Expected{Issuer: v.config.Issuer, Time: v.config.Now()}
	switch v.config.Kind {
	case Standard:
		expected.AnyAudience = jwt.Audience{v.config.Audience}
	case CognitoID:
		expected.AnyAudience = jwt.Audience{v.config.Audience}
		if c.TokenUse != "id" {
			return refused("not an ID token")
		}
	case CognitoAccess:
		if c.TokenUse != "access" {
			return refused("not an access token")
		}
		if c.ClientID != v.config.Audience {
			return refused("wrong client")
		}
	}
	switch err := c.ValidateWithLeeway(expected, v.config.Leeway); {
	case errors.Is(err, jwt.ErrInvalidIssuer):
		return refused("wrong issuer")
	case errors.Is(err, jwt.ErrInvalidAudience):
		return refused("wrong audience")
	case errors.Is(err, jwt.ErrExpired):
		return refused("expired")
	case err != nil:
		return refused("not valid yet")
	case c.Expiry == nil:
		return refused("no expiry")
	case c.Subject == "":
		return refused("no subject")
	}
	return nil
}

// bearerToken reads the values of the header Authorization.
func bearerToken(values []string) (string, error) {
	if len(values) != 1 {
		return "", refused("not one Authorization header")
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", refused("not a bearer token")
	}
	if len(token) > maxTokenBytes {
		return "", refused("too long")
	}
	return strings.TrimLeft(token, " "), nil
}

// refused is the error of a token that is no good. The reason is one of this
// package's own texts, never a library's: those quote what they refuse.
func refused(reason string) error {
	return fmt.Errorf("%w: bearer token: %s", httpapi.ErrUnauthenticated, reason)
}
