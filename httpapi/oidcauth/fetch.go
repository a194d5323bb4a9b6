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

// maxDocumentBytes is many times what an issuer publishes.
const maxDocumentBytes = 512 << 10

// A fetcher asks the issuer. It is used by one goroutine at a time.
type fetcher struct {
	config  Config
	keysURL string // as set or discovered; "" if not, or if it may be out of date
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
	f.keysURL = f.config.KeysURL // discovered keys may have moved
	return published{}, err
}

// discover returns the address of the keys (OpenID Connect Discovery 1.0, section
// 4).
func (f *fetcher) discover(ctx context.Context) (string, error) {
	data, err := f.get(ctx, f.config.DiscoveryURL)
	if err != nil {
		return "", err
	}
	var document map[string]json.RawMessage // all members but two are ignored, whatever they are
	if err := json.Unmarshal(data, &document); err != nil {
		return "", errors.New("not a JSON object")
	}
	issuer, address := member(document, "issuer"), member(document, "jwks_uri")
	switch {
	case issuer == f.config.MetadataIssuer:
	case strings.TrimSuffix(issuer, "/") == strings.TrimSuffix(f.config.MetadataIssuer, "/"):
		return "", errors.New("its issuer differs from Config.Issuer by a trailing slash: write Issuer as the tokens have it, and set Config.MetadataIssuer if the metadata still differs")
	default:
		return "", errors.New("it describes another issuer: set Config.MetadataIssuer if that is meant")
	}
	if err := checkURL(address, f.config.AllowHTTP); err != nil {
		return "", fmt.Errorf("jwks_uri: %w", err)
	}
	return address, nil
}

// member returns the string that a member is; "" if it is none.
func member(document map[string]json.RawMessage, name string) string {
	var s string
	if json.Unmarshal(document[name], &s) != nil {
		return ""
	}
	return s
}

// get returns a document. Its error has nothing in it of what was answered.
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
