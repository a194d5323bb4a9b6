package oidcauth

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// maxDocumentBytes is many times the size of any document that an issuer publishes.
const maxDocumentBytes = 512 << 10

// A fetcher fetches the issuer's keys. One goroutine at a time may use it.
type fetcher struct {
	config  Config
	keysURL string // configured or discovered; "" if it has to be discovered
}

func newFetcher(cfg Config) *fetcher {
	if cfg.DiscoveryURL == "" {
		cfg.DiscoveryURL = strings.TrimSuffix(cfg.Issuer, "/") + "/.well-known/openid-configuration"
	}
	if cfg.MetadataIssuer == "" {
		cfg.MetadataIssuer = cfg.Issuer
	}
	return &fetcher{config: cfg, keysURL: cfg.KeysURL}
}

// keys returns the issuer's public keys for signatures.
func (f *fetcher) keys(ctx context.Context) (published, error) {
	if f.keysURL == "" {
		address, err := f.discover(ctx)
		if err != nil {
			return published{}, fmt.Errorf("discovery: %w", err)
		}
		f.keysURL = address
	}
	data, err := f.get(ctx, f.keysURL)
	if err == nil {
		var keys published
		if keys, err = parseKeys(data); err == nil {
			return keys, nil
		}
	}
	f.keysURL = f.config.KeysURL // a discovered address may have changed
	return published{}, err
}

// discover returns the address of the keys (OpenID Connect Discovery 1.0, section 4).
func (f *fetcher) discover(ctx context.Context) (string, error) {
	data, err := f.get(ctx, f.config.DiscoveryURL)
	if err != nil {
		return "", err
	}
	var document map[string]json.RawMessage // only two members are decoded
	if err := json.Unmarshal(data, &document); err != nil {
		return "", errors.New("not a JSON object")
	}
	issuer, address := member(document, "issuer"), member(document, "jwks_uri")
	switch {
	case issuer == f.config.MetadataIssuer:
	case strings.TrimSuffix(issuer, "/") == strings.TrimSuffix(f.config.MetadataIssuer, "/"):
		return "", errors.New("its issuer differs from Config.Issuer by a trailing slash: set Config.Issuer to the tokens' iss, and Config.MetadataIssuer to the metadata's issuer if it differs")
	default:
		return "", errors.New("its issuer is not Config.Issuer: set Config.MetadataIssuer if that is intended")
	}
	if err := checkURL(address, f.config.AllowHTTP); err != nil {
		return "", fmt.Errorf("jwks_uri: %w", err)
	}
	return address, nil
}

// member returns the string value of a member, or "" if the value is not a string.
func member(document map[string]json.RawMessage, name string) string {
	var s string
	if json.Unmarshal(document[name], &s) != nil {
		return ""
	}
	return s
}

// get returns a document. Its error contains no part of the answer.
func (f *fetcher) get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := f.config.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d from %s", resp.StatusCode, req.URL.Host)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxDocumentBytes+1))
	if err == nil && len(data) > maxDocumentBytes {
		err = fmt.Errorf("more than %d bytes from %s", maxDocumentBytes, req.URL.Host)
	}
	return data, err
}

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
