package oidcauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
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
