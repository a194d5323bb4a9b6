package oidcauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// maxDocumentBytes is many times what an issuer publishes.
const maxDocumentBytes = 512 << 10

// A fetcher asks the issuer. It is used by one goroutine at a time.
type fetcher struct {
	client  *http.Client
	issuer  string
	jwksURI string // as discovered; "" if not, or if it may be out of date
}

func newFetcher(client *http.Client, issuer string) *fetcher {
	return &fetcher{client: client, issuer: issuer}
}

// keys returns the issuer's public keys for signatures.
func (f *fetcher) keys(ctx context.Context) ([]jose.JSONWebKey, error) {
	if f.jwksURI == "" {
		uri, err := f.discover(ctx)
		if err != nil {
			return nil, fmt.Errorf("discovery: %w", err)
		}
		f.jwksURI = uri
	}
	data, err := f.get(ctx, f.jwksURI)
	if err == nil {
		var keys []jose.JSONWebKey
		if keys, err = parseKeys(data); err == nil {
			return keys, nil
		}
	}
	f.jwksURI = "" // they may have moved
	return nil, err
}

// discover returns where the keys are (OpenID Connect Discovery 1.0, section 4).
func (f *fetcher) discover(ctx context.Context) (string, error) {
	data, err := f.get(ctx, strings.TrimSuffix(f.issuer, "/")+"/.well-known/openid-configuration")
	if err != nil {
		return "", err
	}
	var document struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		return "", errors.New("not a JSON object of the right types")
	}
	if document.Issuer != f.issuer {
		return "", errors.New("it describes another issuer")
	}
	uri, _, _ := strings.Cut(document.JWKSURI, "?")
	if err := checkURL(uri); err != nil {
		return "", fmt.Errorf("jwks_uri: %w", err)
	}
	return document.JWKSURI, nil
}

// get returns a document. Its error has nothing in it of what was answered.
func (f *fetcher) get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := f.client.Do(req)
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

// parseKeys reads a JWK set (RFC 7517, section 5). Keys that it cannot read are
// left out, as the RFC says; a set without any that is usable is refused.
func parseKeys(data []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, errors.New("not a JWK set")
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if err := key.UnmarshalJSON(raw); err == nil && isUsable(key) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("a JWK set without a usable key")
	}
	return keys, nil
}
