package oidcauth

import (
	"crypto/rsa"
	"encoding/json"
	"errors"

	"github.com/go-jose/go-jose/v4"
)

// published are the keys of a JWK set.
type published struct {
	keys    []jose.JSONWebKey // public, for signatures
	skipped []skippedKey
}

// A skippedKey cannot be used. A token may still be signed with it.
type skippedKey struct {
	id    string
	signs bool // its use is signatures, or is not given
}

// parseKeys parses a JWK set (RFC 7517, section 5). It skips keys that cannot be used, as
// the RFC says, and refuses a set without any usable key.
func parseKeys(data []byte) (published, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return published{}, errors.New("not a JWK set")
	}
	var p published
	for _, raw := range set.Keys {
		var members map[string]json.RawMessage
		if json.Unmarshal(raw, &members) != nil || members == nil {
			continue
		}
		if key, err := parseKey(members); err == nil {
			p.keys = append(p.keys, key)
		} else {
			use := member(members, "use")
			p.skipped = append(p.skipped, skippedKey{id: member(members, "kid"), signs: use == "" || use == "sig"})
		}
	}
	if len(p.keys) == 0 {
		return published{}, errors.New("a JWK set without a usable key")
	}
	return p, nil
}

// keyMembers are the members of a public key, by key type (RFC 7518, section 6, and RFC
// 8037, section 2).
var keyMembers = map[string][]string{"RSA": {"n", "e"}, "EC": {"crv", "x", "y"}, "OKP": {"crv", "x"}}

// parseKey parses the members that are needed to verify a signature. Other members, such
// as a certificate that cannot be parsed, do not make the key unusable.
func parseKey(members map[string]json.RawMessage) (jose.JSONWebKey, error) {
	if private := members["d"]; private != nil && string(private) != "null" {
		return jose.JSONWebKey{}, errors.New("a private key")
	}
	needed := map[string]json.RawMessage{}
	for _, name := range append([]string{"kty", "kid", "use", "alg"}, keyMembers[member(members, "kty")]...) {
		if value := members[name]; value != nil {
			needed[name] = value
		}
	}
	data, err := json.Marshal(needed)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(data); err != nil {
		return jose.JSONWebKey{}, err
	}
	if !isUsable(key) {
		return jose.JSONWebKey{}, errors.New("not for signatures, or too short")
	}
	return key, nil
}

// isUsable reports whether tokens may be verified with the key: it must be for signatures,
// long enough (RFC 7518, section 3.3), and public. With a secret key every holder can
// make tokens.
func isUsable(key jose.JSONWebKey) bool {
	if r, ok := key.Key.(*rsa.PublicKey); ok && r.N.BitLen() < 2048 {
		return false
	}
	return key.Valid() && key.IsPublic() && (key.Use == "" || key.Use == "sig")
}
