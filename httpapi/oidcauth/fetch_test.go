package oidcauth_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/devicetokens/devicetokens/httpapi/oidcauth"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth/oidctest"
)

func TestKeySets(t *testing.T) {
	short := must(rsa.GenerateKey(rand.Reader, 1024))
	jwk := func(key any) jose.JSONWebKey { return jose.JSONWebKey{Key: key, KeyID: "k"} }
	named := func(key any, id string) jose.JSONWebKey { return jose.JSONWebKey{Key: key, KeyID: id} }
	// with adds members to the first key.
	with := func(set, members string) string {
		return strings.Replace(set, "{\"keys\":[{", "{\"keys\":[{"+members+",", 1)
	}
	rs, es, ed := keySet(jwk(rsaKey.Public())), keySet(jwk(ecKey.Public())), keySet(jwk(edKey.Public()))
	another := named(ecKey.Public(), "2")
	secret := []byte("0123456789abcdef0123456789abcdef")
	for _, test := range []struct {
		name      string
		algorithm jose.SignatureAlgorithm
		key       any
		set       string
		want      error
	}{
		{"RS256", jose.RS256, rsaKey, rs, nil},
		{"PS512", jose.PS512, rsaKey, rs, nil},
		{"ES384", jose.ES384, ecKey, es, nil},
		{"EdDSA", jose.EdDSA, edKey, ed, nil},
		{"two keys of one id", jose.RS256, rsaKey, keySet(jwk(ecKey.Public()), jwk(rsaKey.Public())), nil},
		{"key for another algorithm", jose.RS256, rsaKey, with(rs, `"alg":"PS256"`), no},
		{"secret key", jose.HS256, secret, keySet(jwk(secret)), no},
		{"beside keys of no known type", jose.RS256, rsaKey, `{"keys":[{"kty":"OKP","crv":"X448","x":""},{},7,null,` + rs[len(`{"keys":[`):], nil},
		{"Ed25519, the newer name of EdDSA", jose.EdDSA, edKey, with(ed, `"alg":"Ed25519"`), nil},
		{"a certificate that Go refuses", jose.RS256, rsaKey, with(rs, `"x5c":["AA=="]`), nil},
		{"certificates of other types", jose.ES384, ecKey, with(es, `"x5c":7,"x5t":{},"x5t#S256":[],"x5u":"::"`), nil},
		{"members of other types", jose.EdDSA, edKey, with(ed, `"key_ops":"verify","oth":1,"ext":"yes","nbf":"now","n":null`), nil},
		{"members of other types of key", jose.RS256, rsaKey, with(rs, `"crv":7,"x":null,"y":[],"k":{}`), nil},
		{"members that are null", jose.ES384, ecKey, with(es, `"d":null,"n":null,"alg":null,"use":null`), nil},
		{"skipped, because a member is no string", jose.RS256, rsaKey, with(keySet(jwk(rsaKey.Public()), another), `"alg":7`), later},
		{"skipped, because it is short", jose.RS256, short, keySet(jwk(short.Public()), another), later},
		{"skipped, because it is private", jose.RS256, rsaKey, keySet(jwk(rsaKey), another), later},
		{"skipped, because it is for encryption", jose.RS256, rsaKey, with(keySet(jwk(rsaKey.Public()), another), `"use":"enc"`), later},
		{"skipped, with another id", jose.RS256, rsaKey, keySet(named(short.Public(), "3"), another), no},
		{"skipped, beside one of the same id", jose.RS256, rsaKey, keySet(jwk(short.Public()), jwk(ecKey.Public())), later},
		{"no usable key", jose.RS256, short, keySet(jwk(short.Public())), later},
		{"no key set", jose.RS256, rsaKey, `[]`, later},
		{"endless", jose.RS256, rsaKey, rs + strings.Repeat(" ", 1<<20), later},
	} {
		t.Run(test.name, func(t *testing.T) {
			issuer := oidctest.New(t)
			serve(issuer, test.set)
			token := sign(test.algorithm, jwk(test.key), nil, lasting(claims{"sub": alice, "aud": audience, "iss": issuer.URL}))
			check(t, newAuthenticator(t, oidcauth.Config{
				Issuer: issuer.URL, Algorithms: []string{"RS256", "PS512", "ES384", "EdDSA"},
			}), token, test.want)
		})
	}
}

// badMetadata returns unacceptable answers for the metadata, which are a fault of the
// operator and not of the caller. Each leads to keys that would verify the token.
func badMetadata(issuer, keys string) map[string]http.HandlerFunc {
	good := metadata(issuer, keys)
	write := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
	}
	return map[string]http.HandlerFunc{
		"another issuer":       write(metadata(issuer+"/", keys)),
		"keys over plain HTTP": write(metadata(issuer, "http://keys.example/keys")),
		"no keys":              write(`{"issuer":"` + issuer + `"}`),
		"not JSON":             write("<html>"),
		"endless":              write(good + strings.Repeat(" ", 1<<20)),
		"server error": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			write(good)(w, r)
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				write(good)(w, r)
				return
			}
			http.Redirect(w, r, issuer+"/elsewhere", http.StatusFound)
		},
		"connection cut": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
}

func TestDiscovery(t *testing.T) {
	for name := range badMetadata("", "") {
		t.Run(name, func(t *testing.T) {
			issuer, signer := oidctest.New(t), oidctest.New(t)
			authenticate := newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL})
			good := claims{"sub": alice, "aud": audience, "iss": issuer.URL}
			issuer.Answer(badMetadata(issuer.URL, signer.URL+"/keys")[name])
			check(t, authenticate, signer.Token(t, good), later)

			issuer.Answer(nil) // nothing was cached
			check(t, authenticate, issuer.Token(t, good), nil)
		})
	}
}

// TestKeysThatMoved has the keys at a new address, which the metadata names.
func TestKeysThatMoved(t *testing.T) {
	issuer := oidctest.New(t)
	authenticate := newAuthenticator(t, oidcauth.Config{Issuer: issuer.URL})
	check(t, authenticate, issuer.Token(t, claims{"sub": alice, "aud": audience}), nil)

	moved := oidctest.New(t)
	issuer.Answer(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/openid-configuration" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(metadata(issuer.URL, moved.URL+"/keys")))
	})
	moved.Rotate(t)
	token := moved.Token(t, claims{"sub": alice, "aud": audience, "iss": issuer.URL})
	check(t, authenticate, token, later) // the old address has no keys any more
	check(t, authenticate, token, nil)
}
