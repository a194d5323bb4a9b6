package oidcauth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth/oidctest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	audience = "the-app"
	alice    = "alice-7f3a"
)

// The errors of an authenticator.
var no, later = httpapi.ErrUnauthenticated, store.ErrTryAgain

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

var (
	rsaKey = must(rsa.GenerateKey(rand.Reader, 2048))
	ecKey  = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	edKey  = func() ed25519.PrivateKey { _, key, err := ed25519.GenerateKey(rand.Reader); return must(key, err) }()

	rs256 = jose.JSONWebKey{Key: rsaKey, KeyID: "k", Algorithm: "RS256", Use: "sig"}
	eddsa = jose.JSONWebKey{Key: edKey, KeyID: "k", Algorithm: "EdDSA", Use: "sig"}
)

type claims = map[string]any

// with returns the claims with one of them changed, or removed if the value is nil.
func with(base claims, name string, value any) claims {
	all := maps.Clone(base)
	all[name] = value
	return all
}

// lasting returns the claims as JSON, valid for an hour.
func lasting(c claims) []byte {
	all := claims{"exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(all, c)
	return must(json.Marshal(all))
}

// header returns the option of a token with that header.
func header(name jose.HeaderKey, value any) *jose.SignerOptions {
	return (&jose.SignerOptions{}).WithHeader(name, value)
}

func sign(algorithm jose.SignatureAlgorithm, key jose.JSONWebKey, options *jose.SignerOptions, payload []byte) string {
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options))
	return must(must(signer.Sign(payload)).CompactSerialize())
}

func metadata(issuer, keys string) string {
	return `{"issuer":"` + issuer + `","jwks_uri":"` + keys + `","x":[]}`
}

func keySet(keys ...jose.JSONWebKey) string {
	return string(must(json.Marshal(jose.JSONWebKeySet{Keys: keys})))
}

// serve makes the issuer publish a key set.
func serve(issuer *oidctest.Issuer, set string) {
	issuer.Answer(func(w http.ResponseWriter, r *http.Request) {
		body := set
		if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
			body = metadata(issuer.URL, issuer.URL+"/keys?v=1")
		}
		_, _ = w.Write([]byte(body))
	})
}

func newAuthenticator(t testing.TB, cfg oidcauth.Config) httpapi.Authenticator {
	t.Helper()
	if cfg.Audience == "" {
		cfg.Audience = audience
	}
	if cfg.Kind == "" {
		cfg.Kind = oidcauth.Standard
	}
	authenticate, err := oidcauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return authenticate
}

func request(t testing.TB, authorization ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header["Authorization"] = authorization
	return r
}

// check calls the authenticator with a token and fails unless it returns alice, or an error
// that matches want.
func check(t *testing.T, authenticate httpapi.Authenticator, token string, want error) {
	t.Helper()
	user, err := authenticate(request(t, "Bearer "+token))
	checkResult(t, user, err, want)
	if err != nil && token != "" && strings.Contains(err.Error(), token) {
		t.Errorf("the error contains the token: %v", err)
	}
}

func checkResult(t *testing.T, user tokens.UserID, err, want error) {
	t.Helper()
	for _, sentinel := range []error{no, later} {
		if got := errors.Is(err, sentinel); got != (sentinel == want) {
			t.Errorf("error is %v, matches %q: %t", err, sentinel, got)
		}
	}
	if want == nil && (user != alice || err != nil) {
		t.Errorf("got %q, %v; want %q", user, err, alice)
	}
	if want != nil && user != "" {
		t.Errorf("got %q with the error %v", user, err)
	}
}

func TestAuthorizationHeader(t *testing.T) {
	issuer := oidctest.New(t)
	authenticate := newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL})
	token := issuer.Token(t, claims{"sub": alice, "aud": audience})
	long := issuer.Token(t, claims{"sub": alice, "aud": audience, "x": strings.Repeat("x", 16<<10)})
	for name, test := range map[string]struct {
		values []string
		want   error
	}{
		"as usual":        {[]string{"Bearer " + token}, nil},
		"lower case":      {[]string{"bearer " + token}, nil},
		"two spaces":      {[]string{"Bearer  " + token}, nil},
		"none":            {nil, no},
		"no scheme":       {[]string{token}, no},
		"another scheme":  {[]string{"Basic " + token}, no},
		"twice":           {[]string{"Bearer " + token, "Bearer " + token}, no},
		"half a token":    {[]string{"Bearer " + token[:len(token)/2]}, no},
		"too long":        {[]string{"Bearer " + long}, no},
		"a JWS as JSON":   {[]string{`Bearer {"payload":"","signature":""}`}, no},
		"four parts":      {[]string{"Bearer " + token + ".x"}, no},
		"detached claims": {[]string{"Bearer " + token[:strings.Index(token, ".")] + ".." + token[strings.LastIndex(token, ".")+1:]}, no},
	} {
		t.Run(name, func(t *testing.T) {
			user, err := authenticate(request(t, test.values...))
			checkResult(t, user, err, test.want)
		})
	}
}

func TestClaims(t *testing.T) {
	issuer := oidctest.New(t)
	now := time.Now()
	at := func(offset time.Duration) int64 { return now.Add(offset).Unix() }
	const leeway = oidcauth.DefaultLeeway
	standard := claims{"sub": alice, "aud": audience}
	access := claims{"sub": alice, "token_use": "access", "client_id": audience}
	id := claims{"sub": alice, "token_use": "id", "aud": audience}
	for _, test := range []struct {
		name   string
		kind   oidcauth.Kind
		claims claims
		want   error
	}{
		{"standard", "", standard, nil},
		{"audience among others", "", with(standard, "aud", []string{"other", audience}), nil},
		{"wrong audience", "", with(standard, "aud", "other"), no},
		{"audience with more to it", "", with(standard, "aud", audience+"2"), no},
		{"no audience", "", with(standard, "aud", nil), no},
		{"audience is a number", "", with(standard, "aud", 7), no},
		{"wrong issuer", "", with(standard, "iss", issuer.URL+"/"), no},
		{"no issuer", "", with(standard, "iss", nil), no},
		{"no subject", "", with(standard, "sub", nil), no},
		{"empty subject", "", with(standard, "sub", ""), no},
		{"subject is a number", "", with(standard, "sub", 7), no},
		{"subject by another case", "", with(with(standard, "sub", nil), "Sub", alice), no},
		{"expired within the leeway", "", with(standard, "exp", at(-leeway+time.Second)), nil},
		{"expired", "", with(standard, "exp", at(-leeway-time.Second)), no},
		{"no expiry", "", with(standard, "exp", nil), no},
		{"expiry is a text", "", with(standard, "exp", "tomorrow"), no},
		{"expiry past all time", "", with(standard, "exp", 1e30), no},
		{"not before, within the leeway", "", with(standard, "nbf", at(leeway)), nil},
		{"not before", "", with(standard, "nbf", at(leeway+time.Second)), no},
		{"issued in the future", "", with(standard, "iat", at(leeway+time.Second)), no},
		{"no time of issue", "", with(standard, "iat", nil), nil},
		{"other types of claims that Standard does not read", "", claims{
			"sub": alice, "aud": audience, "jti": 7, "azp": 7, "client_id": claims{}, "cid": []int{1}, "token_use": 1, "scope": nil,
		}, nil},

		{"Cognito's access token", oidcauth.CognitoAccess, access, nil},
		{"with the audience in aud alone", oidcauth.CognitoAccess, with(with(access, "client_id", nil), "aud", audience), no},
		{"ID token for an access token", oidcauth.CognitoAccess, with(id, "client_id", audience), no},
		{"of no use", oidcauth.CognitoAccess, with(access, "token_use", nil), no},
		{"client is a list", oidcauth.CognitoAccess, with(access, "client_id", []string{audience}), no},
		{"Cognito's ID token", oidcauth.CognitoID, id, nil},
		{"access token for an ID token", oidcauth.CognitoID, with(access, "aud", audience), no},
		{"ID token for another client", oidcauth.CognitoID, with(id, "aud", "other"), no},
		{"Cognito's access token taken as standard", "", access, no},
	} {
		t.Run(test.name, func(t *testing.T) {
			authenticate := newAuthenticator(t, oidcauth.Config{
				Issuer: issuer.URL, Kind: test.kind, Now: func() time.Time { return now },
			})
			check(t, authenticate, issuer.Token(t, test.claims), test.want)
		})
	}
}

// TestTypes has tokens of other types with valid claims (RFC 8725, section 3.11).
func TestTypes(t *testing.T) {
	issuer := oidctest.New(t)
	logout := claims{"http://schemas.openid.net/event/backchannel-logout": claims{}}
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
		{"empty type", "", nil, nil, no},
		{"type that is a number", 7, nil, no, no},
		{"logout token by its claims", "JWT", logout, no, no},
		{"logout token in disguise", "at+jwt", logout, no, no},
		{"events of the issuer's own", "at+jwt", []string{"party"}, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := claims{"iss": issuer.URL, "sub": alice, "aud": audience}
			if test.events != nil {
				c["events"] = test.events
			}
			var options *jose.SignerOptions
			if test.typ != nil {
				options = header(jose.HeaderType, test.typ)
			}
			token := sign(jose.ES256, issuer.Key(), options, lasting(c))
			check(t, newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL}), token, test.standard)
			check(t, newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL, Kind: oidcauth.Access}), token, test.access)
		})
	}
}

func TestSignatures(t *testing.T) {
	issuer := oidctest.New(t)
	good := lasting(claims{"sub": alice, "aud": audience, "iss": issuer.URL})
	own := issuer.Key()
	public := own.Public()
	stranger := jose.JSONWebKey{Key: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), KeyID: "stranger"}
	named := func(key jose.JSONWebKey, id string) jose.JSONWebKey { return jose.JSONWebKey{Key: key.Key, KeyID: id} }
	body := sign(jose.ES256, own, nil, good)
	parts := strings.Split(body, ".")
	encode := base64.RawURLEncoding.EncodeToString
	for name, test := range map[string]struct {
		token string
		want  error
	}{
		"the issuer's":                  {body, nil},
		"without a key id":              {sign(jose.ES256, named(own, ""), nil, good), nil},
		"a stranger's":                  {sign(jose.ES256, stranger, nil, good), no},
		"a stranger's, id borrowed":     {sign(jose.ES256, named(stranger, own.KeyID), nil, good), no},
		"key in the token's own header": {sign(jose.ES256, named(stranger, ""), &jose.SignerOptions{EmbedJWK: true}, good), no},
		"public key taken as a secret":  {sign(jose.HS256, jose.JSONWebKey{Key: must(public.MarshalJSON()), KeyID: own.KeyID}, nil, good), no},
		"unsigned":                      {encode([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".", no},
		"signature missing":             {parts[0] + "." + parts[1] + ".", no},
		"other claims":                  {parts[0] + "." + encode(lasting(claims{"sub": "bob", "aud": audience, "iss": issuer.URL})) + "." + parts[2], no},
		"a critical header":             {sign(jose.ES256, own, header("b64x", true).WithCritical("b64x"), good), no},
		// go-jose parses the whole header (ADR 6), so these are refused too.
		"a certificate that Go refuses":   {sign(jose.ES256, own, header("x5c", []string{"AA=="}), good), no},
		"certificates of another type":    {sign(jose.ES256, own, header("x5c", 7), good), no},
		"a key that is none":              {sign(jose.ES256, own, header("jwk", claims{"kty": "EC"}), good), no},
		"a certificate's address, unread": {sign(jose.ES256, own, header("x5u", 7), good), nil},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL}), test.token, test.want)
		})
	}
	t.Run("an algorithm that is not allowed", func(t *testing.T) {
		check(t, newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL, Algorithms: []string{"RS256"}}), body, no)
	})
	t.Run("without a key id, of several keys", func(t *testing.T) {
		serve(issuer, keySet(public, stranger.Public()))
		authenticate := newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL})
		check(t, authenticate, sign(jose.ES256, named(own, ""), nil, good), no)
		check(t, authenticate, body, nil)
	})
}
