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
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

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

func newAuthenticator(t *testing.T, cfg oidcauth.Config) httpapi.Authenticator {
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

func request(t *testing.T, authorization ...string) *http.Request {
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
		t.Errorf("the error has the token in it: %v", err)
	}
}

func checkResult(t *testing.T, user tokens.UserID, err, want error) {
	t.Helper()
	for _, sentinel := range []error{httpapi.ErrUnauthenticated, store.ErrTryAgain} {
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

type claims = map[string]any

func TestClaims(t *testing.T) {
	issuer := oidctest.New(t)
	no := httpapi.ErrUnauthenticated
	now := time.Now()
	at := func(offset time.Duration) int64 { return now.Add(offset).Unix() }
	const leeway = oidcauth.DefaultLeeway
	access := claims{"sub": alice, "token_use": "access", "client_id": audience}
	id := claims{"sub": alice, "token_use": "id", "aud": audience}
	with := func(base claims, name string, value any) claims {
		all := claims{name: value}
		for k, v := range base {
			if k != name {
				all[k] = v
			}
		}
		return all
	}
	standard := claims{"sub": alice, "aud": audience}
	for _, test := range []struct {
		name   string
		kind   oidcauth.Kind
		claims claims
		want   error
	}{
		{"standard", oidcauth.Standard, standard, nil},
		{"audience among others", oidcauth.Standard, with(standard, "aud", []string{"other", audience}), nil},
		{"wrong audience", oidcauth.Standard, with(standard, "aud", "other"), no},
		{"audience with more to it", oidcauth.Standard, with(standard, "aud", audience+"2"), no},
		{"no audience", oidcauth.Standard, with(standard, "aud", nil), no},
		{"audience is a number", oidcauth.Standard, with(standard, "aud", 7), no},
		{"wrong issuer", oidcauth.Standard, with(standard, "iss", issuer.URL+"/"), no},
		{"no issuer", oidcauth.Standard, with(standard, "iss", nil), no},
		{"no subject", oidcauth.Standard, with(standard, "sub", nil), no},
		{"empty subject", oidcauth.Standard, with(standard, "sub", ""), no},
		{"subject is a number", oidcauth.Standard, with(standard, "sub", 7), no},
		{"subject by another case", oidcauth.Standard, with(with(standard, "sub", nil), "Sub", alice), no},
		{"expired within the leeway", oidcauth.Standard, with(standard, "exp", at(-leeway+time.Second)), nil},
		{"expired", oidcauth.Standard, with(standard, "exp", at(-leeway-time.Second)), no},
		{"no expiry", oidcauth.Standard, with(standard, "exp", nil), no},
		{"expiry is a text", oidcauth.Standard, with(standard, "exp", "tomorrow"), no},
		{"expiry past all time", oidcauth.Standard, with(standard, "exp", 1e30), no},
		{"not before, within the leeway", oidcauth.Standard, with(standard, "nbf", at(leeway)), nil},
		{"not before", oidcauth.Standard, with(standard, "nbf", at(leeway+time.Second)), no},
		{"issued in the future", oidcauth.Standard, with(standard, "iat", at(leeway+time.Second)), no},
		{"no time of issue", oidcauth.Standard, with(standard, "iat", nil), nil},

		{"Cognito's access token", oidcauth.CognitoAccess, access, nil},
		{"of another client", oidcauth.CognitoAccess, with(access, "client_id", "other"), no},
		{"with the audience in aud alone", oidcauth.CognitoAccess, with(with(access, "client_id", nil), "aud", audience), no},
		{"ID token for an access token", oidcauth.CognitoAccess, with(id, "client_id", audience), no},
		{"of no use", oidcauth.CognitoAccess, with(access, "token_use", nil), no},
		{"expired access token", oidcauth.CognitoAccess, with(access, "exp", at(-time.Hour)), no},
		{"Cognito's ID token", oidcauth.CognitoID, id, nil},
		{"access token for an ID token", oidcauth.CognitoID, with(access, "aud", audience), no},
		{"ID token for another client", oidcauth.CognitoID, with(id, "aud", "other"), no},
		{"Cognito's access token taken as standard", oidcauth.Standard, access, no},
	} {
		t.Run(test.name, func(t *testing.T) {
			authenticate := newAuthenticator(t, oidcauth.Config{
				Issuer: issuer.URL, Kind: test.kind, Now: func() time.Time { return now },
			})
			check(t, authenticate, issuer.Token(t, test.claims), test.want)
		})
	}
}

func TestAuthorizationHeader(t *testing.T) {
	issuer := oidctest.New(t)
	authenticate := newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL})
	token := issuer.Token(t, claims{"sub": alice, "aud": audience})
	long := issuer.Token(t, claims{"sub": alice, "aud": audience, "x": strings.Repeat("x", 16<<10)})
	no := httpapi.ErrUnauthenticated
	for name, test := range map[string]struct {
		values []string
		want   error
	}{
		"as usual":        {[]string{"Bearer " + token}, nil},
		"lower case":      {[]string{"bearer " + token}, nil},
		"two spaces":      {[]string{"Bearer  " + token}, nil},
		"none":            {nil, no},
		"empty":           {[]string{""}, no},
		"no scheme":       {[]string{token}, no},
		"no token":        {[]string{"Bearer"}, no},
		"another scheme":  {[]string{"Basic " + token}, no},
		"twice":           {[]string{"Bearer " + token, "Bearer " + token}, no},
		"two in one":      {[]string{"Bearer " + token + ", Bearer " + token}, no},
		"half a token":    {[]string{"Bearer " + token[:len(token)/2]}, no},
		"too long":        {[]string{"Bearer " + long}, no},
		"not a JWT":       {[]string{"Bearer abc"}, no},
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

// TestSignatures has tokens with valid claims.
func TestSignatures(t *testing.T) {
	issuer := oidctest.New(t)
	good := claims{"sub": alice, "aud": audience, "iss": issuer.URL, "exp": time.Now().Add(time.Hour).Unix()}
	own := issuer.Key()
	public := own.Public()
	der, err := public.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(algorithm jose.SignatureAlgorithm, key any, id string, options *jose.SignerOptions) string {
		t.Helper()
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: id}}, options)
		if err != nil {
			t.Fatal(err)
		}
		token, err := jwt.Signed(signer).Claims(good).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	body := sign(jose.ES256, own.Key, own.KeyID, nil)
	head, rest, _ := strings.Cut(body, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	encode := base64.RawURLEncoding.EncodeToString
	forged, err := json.Marshal(claims{"sub": "bob", "aud": audience, "iss": issuer.URL, "exp": good["exp"]})
	if err != nil {
		t.Fatal(err)
	}
	no := httpapi.ErrUnauthenticated
	for name, test := range map[string]struct {
		token string
		want  error
	}{
		"the issuer's":                  {body, nil},
		"without a key id":              {sign(jose.ES256, own.Key, "", nil), nil},
		"a stranger's":                  {sign(jose.ES256, stranger, "stranger", nil), no},
		"a stranger's, id borrowed":     {sign(jose.ES256, stranger, own.KeyID, nil), no},
		"key in the token's own header": {sign(jose.ES256, stranger, "", &jose.SignerOptions{EmbedJWK: true}), no},
		"public key taken as a secret":  {sign(jose.HS256, der, own.KeyID, nil), no},
		"unsigned":                      {encode([]byte(`{"alg":"none"}`)) + "." + payload + ".", no},
		"signature missing":             {head + "." + payload + ".", no},
		"other claims":                  {head + "." + encode(forged) + "." + signature, no},
		"a critical header":             {sign(jose.ES256, own.Key, own.KeyID, (&jose.SignerOptions{}).WithCritical("b64x").WithHeader("b64x", true)), no},
		// go-jose parses the whole header (ADR 6), so these are refused too.
		"a certificate that Go refuses":   {sign(jose.ES256, own.Key, own.KeyID, (&jose.SignerOptions{}).WithHeader("x5c", []string{"AA=="})), no},
		"certificates of another type":    {sign(jose.ES256, own.Key, own.KeyID, (&jose.SignerOptions{}).WithHeader("x5c", 7)), no},
		"a key that is none":              {sign(jose.ES256, own.Key, own.KeyID, (&jose.SignerOptions{}).WithHeader("jwk", claims{"kty": "EC"})), no},
		"a certificate's address, unread": {sign(jose.ES256, own.Key, own.KeyID, (&jose.SignerOptions{}).WithHeader("x5u", 7)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL}), test.token, test.want)
		})
	}
	t.Run("without a key id, of several keys", func(t *testing.T) {
		issuer.Answer(func(w http.ResponseWriter, r *http.Request) {
			document, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public, {Key: stranger.Public(), KeyID: "2"}}})
			if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
				document, err = json.Marshal(map[string]string{"issuer": issuer.URL, "jwks_uri": issuer.URL + "/keys"})
			}
			if err != nil {
				t.Error(err)
			}
			_, _ = w.Write(document)
		})
		defer issuer.Answer(nil)
		authenticate := newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL})
		check(t, authenticate, sign(jose.ES256, own.Key, "", nil), no)
		check(t, authenticate, body, nil)
	})
	t.Run("an algorithm that is not allowed", func(t *testing.T) {
		authenticate := newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL, Algorithms: []string{"RS256"}})
		check(t, authenticate, body, no)
	})
}

func TestKeySets(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	const keyID = "k"
	jwk := func(key any, change ...func(*jose.JSONWebKey)) jose.JSONWebKey {
		k := jose.JSONWebKey{Key: key, KeyID: keyID}
		for _, f := range change {
			f(&k)
		}
		return k
	}
	set := func(keys ...jose.JSONWebKey) string {
		data, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	// with adds members to the first key.
	with := func(set, members string) string {
		return strings.Replace(set, "{\"keys\":[{", "{\"keys\":[{"+members+",", 1)
	}
	named := func(id string) func(*jose.JSONWebKey) { return func(k *jose.JSONWebKey) { k.KeyID = id } }
	secret := []byte("0123456789abcdef0123456789abcdef")
	no, later := httpapi.ErrUnauthenticated, store.ErrTryAgain
	for _, test := range []struct {
		name      string
		algorithm jose.SignatureAlgorithm
		key       any
		set       string
		want      error
	}{
		{"RS256", jose.RS256, rsaKey, set(jwk(rsaKey.Public())), nil},
		{"PS512", jose.PS512, rsaKey, set(jwk(rsaKey.Public())), nil},
		{"ES384", jose.ES384, ecKey, set(jwk(ecKey.Public())), nil},
		{"EdDSA", jose.EdDSA, edKey, set(jwk(edKey.Public())), nil},
		{"two keys of one id", jose.RS256, rsaKey, set(jwk(ecKey.Public()), jwk(rsaKey.Public())), nil},
		{"short key", jose.RS256, short, set(jwk(short.Public())), later},
		{"key for another algorithm", jose.RS256, rsaKey, set(jwk(rsaKey.Public(), func(k *jose.JSONWebKey) { k.Algorithm = "PS256" })), no},
		{"key for encryption", jose.RS256, rsaKey, set(jwk(rsaKey.Public(), func(k *jose.JSONWebKey) { k.Use = "enc" })), later},
		{"secret key", jose.HS256, secret, set(jwk(secret)), no},
		{"private key", jose.RS256, rsaKey, set(jwk(rsaKey)), later},
		{"beside keys of no known type", jose.RS256, rsaKey, `{"keys":[{"kty":"OKP","crv":"X448","x":""},{},7,null,` + set(jwk(rsaKey.Public()))[len(`{"keys":[`):], nil},
		{"Ed25519, the newer name of EdDSA", jose.EdDSA, edKey, set(jwk(edKey.Public(), func(k *jose.JSONWebKey) { k.Algorithm = "Ed25519" })), nil},
		{"a certificate that Go refuses", jose.RS256, rsaKey, with(set(jwk(rsaKey.Public())), `"x5c":["AA=="]`), nil},
		{"certificates of other types", jose.ES384, ecKey, with(set(jwk(ecKey.Public())), `"x5c":7,"x5t":{},"x5t#S256":[],"x5u":"::"`), nil},
		{"members of other types", jose.EdDSA, edKey, with(set(jwk(edKey.Public())), `"key_ops":"verify","oth":1,"ext":"yes","nbf":"now","n":null`), nil},
		{"members of other types of key", jose.RS256, rsaKey, with(set(jwk(rsaKey.Public())), `"crv":7,"x":null,"y":[],"k":{}`), nil},
		{"members that are null", jose.ES384, ecKey, with(set(jwk(ecKey.Public())), `"d":null,"n":null,"alg":null,"use":null`), nil},
		{"a certificate, beside another key", jose.RS256, rsaKey, with(set(jwk(rsaKey.Public()), jwk(ecKey.Public(), named("2"))), `"x5c":["AA=="]`), nil},
		{"skipped, since a member is no string", jose.RS256, rsaKey, with(set(jwk(rsaKey.Public()), jwk(ecKey.Public(), named("2"))), `"alg":7`), later},
		{"skipped, since it is short", jose.RS256, short, set(jwk(short.Public()), jwk(ecKey.Public(), named("2"))), later},
		{"skipped, since it is private", jose.RS256, rsaKey, set(jwk(rsaKey), jwk(ecKey.Public(), named("2"))), later},
		{"skipped, since it is for encryption", jose.RS256, rsaKey, set(jwk(rsaKey.Public(), func(k *jose.JSONWebKey) { k.Use = "enc" }), jwk(ecKey.Public(), named("2"))), later},
		{"skipped, with another id", jose.RS256, rsaKey, set(jwk(short.Public(), named("3")), jwk(ecKey.Public(), named("2"))), no},
		{"skipped, beside one of the same id", jose.RS256, rsaKey, set(jwk(short.Public()), jwk(ecKey.Public())), later},
		{"no keys", jose.RS256, rsaKey, `{"keys":[]}`, later},
		{"no key set", jose.RS256, rsaKey, `[]`, later},
		{"no JSON", jose.RS256, rsaKey, `<html>`, later},
		{"endless", jose.RS256, rsaKey, `{"keys":["` + strings.Repeat("x", 1<<20), later},
	} {
		t.Run(test.name, func(t *testing.T) {
			issuer := oidctest.New(t)
			issuer.Answer(func(w http.ResponseWriter, r *http.Request) {
				body := test.set
				if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
					body = `{"issuer":"` + issuer.URL + `","jwks_uri":"` + issuer.URL + `/keys?v=1"}`
				}
				_, _ = w.Write([]byte(body))
			})
			signer, err := jose.NewSigner(jose.SigningKey{Algorithm: test.algorithm, Key: jwk(test.key)}, nil)
			if err != nil {
				t.Fatal(err)
			}
			token, err := jwt.Signed(signer).Claims(claims{
				"sub": alice, "aud": audience, "iss": issuer.URL, "exp": time.Now().Add(time.Hour).Unix(),
			}).Serialize()
			if err != nil {
				t.Fatal(err)
			}
			authenticate := newAuthenticator(t, oidcauth.Config{
				Issuer: issuer.URL, Algorithms: []string{"RS256", "PS512", "ES384", "EdDSA"},
			})
			check(t, authenticate, token, test.want)
		})
	}
}
