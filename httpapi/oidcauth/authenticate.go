package oidcauth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/internal/jsontext"
	"github.com/devicetokens/devicetokens/tokens"
)

// maxTokenBytes is more than the length of any token that is sent in a header.
const maxTokenBytes = 16 << 10

type verifier struct {
	config     Config
	algorithms []jose.SignatureAlgorithm
	keys       *keyCache
}

// authenticate is the [httpapi.Authenticator].
//
// The claims are checked before the signature, because a token with a wrong claim is
// refused in any case and is not worth a fetch of keys.
func (v *verifier) authenticate(r *http.Request) (tokens.UserID, error) {
	raw, err := bearerToken(r.Header["Authorization"])
	if err != nil {
		return "", err
	}
	token, err := jwt.ParseSigned(raw, v.algorithms)
	if err != nil {
		return "", refused("not a signed JWT, or signed with an algorithm that Config.Algorithms does not allow")
	}
	header := token.Headers[0] // the compact form has one signature
	var payload json.RawMessage
	var c claims
	if err := token.UnsafeClaimsWithoutVerification(&payload, &c); err != nil {
		return "", refused("claims are malformed")
	}
	if !jsontext.IsUnicode(payload) {
		return "", refused("claims are not Unicode")
	}
	if err := v.check(header, c); err != nil {
		return "", err
	}
	err = v.keys.verify(r.Context(), header.KeyID, header.Algorithm, func(key jose.JSONWebKey) bool {
		return token.Claims(key.Key) == nil
	})
	if err != nil {
		return "", err
	}
	return tokens.UserID(c.Subject), nil
}

// check returns an error if the header or the claims are not acceptable.
func (v *verifier) check(header jose.Header, c claims) error {
	if reason := v.config.checkKind(header, c); reason != "" {
		return refused(reason)
	}
	times := jwt.Claims{Issuer: c.Issuer, Expiry: c.Expiry, NotBefore: c.NotBefore, IssuedAt: c.IssuedAt}
	expected := jwt.Expected{Issuer: v.config.Issuer, Time: v.config.Now()}
	switch err := times.ValidateWithLeeway(expected, v.config.Leeway); {
	case errors.Is(err, jwt.ErrInvalidIssuer) && strings.TrimSuffix(c.Issuer, "/") == strings.TrimSuffix(v.config.Issuer, "/"):
		return refused("wrong issuer: it differs from Config.Issuer by a trailing slash")
	case errors.Is(err, jwt.ErrInvalidIssuer):
		return refused("wrong issuer")
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

// bearerToken returns the token in the values of the header Authorization.
func bearerToken(values []string) (string, error) {
	if len(values) != 1 {
		return "", refused("there must be one Authorization header")
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

// refused returns the error for a token that is not acceptable. The reason is a text of
// this package, because errors of the libraries quote the token.
func refused(reason string) error {
	return fmt.Errorf("%w: bearer token: %s", httpapi.ErrUnauthenticated, reason)
}
