package oidcauth_test

import (
	"encoding/json"
	"maps"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth/oidctest"
)

// sign returns a token with that payload, and with that header typ unless it is nil.
func sign(t *testing.T, algorithm jose.SignatureAlgorithm, key jose.JSONWebKey, typ any, payload []byte) string {
	t.Helper()
	options := &jose.SignerOptions{}
	if typ != nil {
		options = options.WithHeader(jose.HeaderType, typ)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// lasting returns the claims as JSON, valid for an hour.
func lasting(t *testing.T, c claims) []byte {
	t.Helper()
	all := claims{"exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(all, c)
	payload, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// TestTypes has tokens of other types with valid claims (RFC 8725, section 3.11).
func TestTypes(t *testing.T) {
	issuer := oidctest.New(t)
	const logout = "http://schemas.openid.net/event/backchannel-logout"
	no := httpapi.ErrUnauthenticated
	for _, test := range []struct {
		name             string
		typ, events      any
		standard, access error
	}{
		{"no type", nil, nil, nil, no},
		{"JWT", "JWT", nil, nil, no},
		{"JWT in lower case", "jwt", nil, nil, no},
		{"JWT in full", "application/jwt", nil, nil, no},
		{"access token", "at+jwt", nil, nil, nil},
		{"access token in full", "application/AT+JWT", nil, nil, nil},
		{"logout token", "logout+jwt", nil, no, no},
		{"security event", "secevent+jwt", nil, no, no},
		{"client's assertion", "client-authentication+jwt", nil, no, no},
		{"proof of possession", "dpop+jwt", nil, no, no},
		{"empty type", "", nil, nil, no},
		{"type that is a number", 7, nil, no, no},
		{"type that is a list", []string{"JWT"}, nil, no, no},
		{"logout token by its claims", "JWT", claims{logout: claims{}}, no, no},
		{"logout token in disguise", "at+jwt", claims{logout: claims{}}, no, no},
		{"events of the issuer's own", "at+jwt", []string{"party"}, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := claims{"iss": issuer.URL, "sub": alice, "aud": audience}
			if test.events != nil {
				c["events"] = test.events
			}
			token := sign(t, jose.ES256, issuer.Key(), test.typ, lasting(t, c))
			check(t, newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL}), token, test.standard)
			check(t, newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL, Kind: oidcauth.Access}), token, test.access)
		})
	}
}

// TestUnicode has payloads that encoding/json would decode to the same user id.
func TestUnicode(t *testing.T) {
	issuer := oidctest.New(t)
	authenticate := newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL})
	no := httpapi.ErrUnauthenticated
	for name, test := range map[string]struct {
		subject string
		other   string
		want    error
	}{
		"plain":                        {alice, `"\ud83d\ude00"`, nil},
		"half a character":             {`u\ud800`, `1`, no},
		"the other half":               {`u\udfff`, `1`, no},
		"bytes that are no characters": {"u\xff", `1`, no},
		"half a character elsewhere":   {alice, `["\ud800"]`, no},
		"bytes elsewhere":              {alice, "{\"\xff\":1}", no},
	} {
		t.Run(name, func(t *testing.T) {
			payload := `{"iss":"` + issuer.URL + `","aud":"` + audience + `","exp":4102444800,"sub":"` + test.subject + `","x":` + test.other + `}`
			check(t, authenticate, sign(t, jose.ES256, issuer.Key(), nil, []byte(payload)), test.want)
		})
	}
}

// TestClaimsThatAreNotRead has claims of other types, which no setting reads.
func TestClaimsThatAreNotRead(t *testing.T) {
	issuer := oidctest.New(t)
	token := issuer.Token(t, claims{
		"sub": alice, "aud": audience, "jti": 7, "azp": 7, "client_id": claims{}, "cid": []int{1}, "token_use": 1, "scope": nil,
	})
	check(t, newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL}), token, nil)
	for _, claim := range []string{"azp", "client_id", "cid"} {
		check(t, newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL, AudienceClaim: claim}), token, httpapi.ErrUnauthenticated)
	}
}
