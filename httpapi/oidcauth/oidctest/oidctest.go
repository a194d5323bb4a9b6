// Package oidctest is an OpenID Connect issuer for tests. It publishes its keys at a
// loopback address, signs any claims, rotates its key, and can give wrong answers.
package oidctest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// An Issuer signs tokens with ES256. It is safe for concurrent use.
type Issuer struct {
	// URL is the claim iss, and the address where discovery begins.
	URL string

	mu       sync.Mutex
	key      jose.JSONWebKey // the private one
	rotation int
	answer   http.HandlerFunc
}

// New starts an issuer that stops with the test.
func New(t testing.TB) *Issuer {
	t.Helper()
	i := &Issuer{}
	server := httptest.NewServer(http.HandlerFunc(i.serve))
	t.Cleanup(server.Close)
	i.URL = server.URL
	i.Rotate(t)
	return i
}

// Rotate replaces the issuer's key by a new one with another id.
func (i *Issuer) Rotate(t testing.TB) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.rotation++
	i.key = jose.JSONWebKey{Key: key, KeyID: fmt.Sprint("key-", i.rotation), Algorithm: string(jose.ES256), Use: "sig"}
}

// Key returns the issuer's current private key.
func (i *Issuer) Key() jose.JSONWebKey {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.key
}

// Token returns a signed token with the claims. The defaults of iss, iat and exp make it
// valid for an hour. A claim that is nil is left out.
func (i *Issuer) Token(t testing.TB, claims map[string]any) string {
	t.Helper()
	now := time.Now()
	all := map[string]any{"iss": i.URL, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: i.Key()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(all).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Answer makes f answer all further requests, or the issuer again if f is nil.
func (i *Issuer) Answer(f http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = f
}

func (i *Issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	answer, key := i.answer, i.key.Public()
	i.mu.Unlock()
	var document any
	switch {
	case answer != nil:
		answer(w, r)
		return
	case r.URL.Path == "/.well-known/openid-configuration":
		document = map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/keys"}
	case r.URL.Path == "/keys":
		document = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key}}
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(document) // fails only if the client has gone
}
