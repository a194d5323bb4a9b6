package oidcauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/devicetokens/devicetokens/httpapi"
)

// DefaultLeeway is how far the clocks of the issuer and of this server may be
// apart, unless a [Config] says otherwise.
const DefaultLeeway = time.Minute

const maxLeeway = 5 * time.Minute

// A Kind says how a token tells what it is and whom it was made for. The zero
// value is invalid.
type Kind string

// The kinds of token. Cognito's are told apart by the claim token_use, see "Using
// tokens" in the developer guide of Amazon Cognito.
const (
	// Standard: the claim aud has the audience (RFC 7519, section 4.1.3).
	Standard Kind = "standard"
	// CognitoAccess: token_use is "access", and client_id is the audience.
	CognitoAccess Kind = "cognito-access"
	// CognitoID: token_use is "id", and aud has the audience.
	CognitoID Kind = "cognito-id"
)

// A Config says whose tokens are accepted. Issuer, Audience and Kind are required;
// the zero values of the rest are good.
type Config struct {
	// Issuer is the claim iss, and where the keys are found: an https URL without
	// query and fragment. http is accepted of a loopback address, for tests.
	Issuer string

	// Audience names this service, or the app, depending on Kind.
	Audience string

	// Kind says which tokens are accepted.
	Kind Kind

	// Algorithms are those that a token may be signed with (RFC 7518, section
	// 3.1): RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or
	// EdDSA. nil means RS256 and ES256. It is copied.
	Algorithms []string

	// Leeway is how far the clocks of the issuer and of this server may be apart:
	// at most 5 minutes. 0 means DefaultLeeway.
	Leeway time.Duration

	// Client fetches the keys. nil means one that follows no redirects.
	Client *http.Client

	// Now is the clock; nil means time.Now. It must be safe for concurrent use.
	Now func() time.Time
}

// New returns an authenticator for the tokens that cfg describes. It makes no
// request, so it also works while the issuer cannot be reached. The error names
// every field that is out of range.
//
// The authenticator is safe for concurrent use, and keeps no goroutine running.
func New(cfg Config) (httpapi.Authenticator, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	v := &verifier{
		config: cfg,
		keys:   newKeyCache(newFetcher(cfg.Client, cfg.Issuer).keys, cfg.Now),
	}
	for _, a := range cfg.Algorithms {
		v.algorithms = append(v.algorithms, jose.SignatureAlgorithm(a))
	}
	return v.authenticate, nil
}

// asymmetric are the algorithms that a public key verifies. With any other, who
// can verify a token can make one.
var asymmetric = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

func (c Config) withDefaults() (Config, error) {
	var errs []error
	if err := checkURL(c.Issuer); err != nil {
		errs = append(errs, fmt.Errorf("oidcauth: Config.Issuer: %w", err))
	}
	if c.Audience == "" {
		errs = append(errs, errors.New("oidcauth: Config.Audience is empty"))
	}
	switch c.Kind {
	case Standard, CognitoAccess, CognitoID:
	default:
		errs = append(errs, fmt.Errorf("oidcauth: Config.Kind is %q, want %s, %s or %s", c.Kind, Standard, CognitoAccess, CognitoID))
	}
	if c.Algorithms == nil {
		c.Algorithms = []string{"RS256", "ES256"}
	}
	for _, a := range c.Algorithms {
		if !slices.Contains(asymmetric, a) {
			errs = append(errs, fmt.Errorf("oidcauth: Config.Algorithms has %q, want of %s", a, strings.Join(asymmetric, ", ")))
		}
	}
	if len(c.Algorithms) == 0 {
		errs = append(errs, errors.New("oidcauth: Config.Algorithms is empty, but not nil"))
	}
	if c.Leeway == 0 {
		c.Leeway = DefaultLeeway
	}
	if c.Leeway < 0 || c.Leeway > maxLeeway {
		errs = append(errs, fmt.Errorf("oidcauth: Config.Leeway is %v, want up to %v", c.Leeway, maxLeeway))
	}
	if c.Client == nil {
		c.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, errors.Join(errs...)
}

// checkURL accepts what keys may be fetched from: nobody between here and there
// can put a key of their own in.
func checkURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.User != nil:
		return errors.New("not a URL with a host")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#"):
		return errors.New("a URL with a query or a fragment")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("not an https URL")
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
