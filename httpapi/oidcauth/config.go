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

// DefaultLeeway is the default of [Config].Leeway.
const DefaultLeeway = time.Minute

const maxLeeway = 5 * time.Minute

// A Config describes the tokens that are accepted. Issuer, Kind and Audience are
// required; the zero values of the other fields are safe. The package comment lists the
// settings for each provider.
type Config struct {
	// Issuer is the exact value of the claim iss. Unless DiscoveryURL or KeysURL is
	// set, it is also the address where discovery begins, and must be an https URL
	// without query and fragment.
	Issuer string

	// Kind is the accepted kind of token.
	Kind Kind

	// Audience is the required value of the audience claim: the name of this service
	// or the id of the app, depending on Kind and AudienceClaim.
	Audience string

	// OtherAudiences are accepted like Audience, for several apps of one issuer. New
	// copies it.
	OtherAudiences []string

	// AudienceClaim is the claim with the audience: aud, azp, client_id or cid. ""
	// means the claim of the Kind. azp, client_id and cid name the app that requested
	// the token, so they also accept a token that the app requested for another
	// service.
	AudienceClaim string

	// Algorithms are the allowed signature algorithms (RFC 7518, section 3.1): RS256,
	// RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA. nil means RS256
	// and ES256. New copies it.
	Algorithms []string

	// DiscoveryURL is the address of the issuer's metadata. "" means
	// Issuer/.well-known/openid-configuration. It may have a query.
	DiscoveryURL string

	// MetadataIssuer is the issuer in the metadata. "" means Issuer. Often the two
	// differ only by a trailing slash.
	MetadataIssuer string

	// KeysURL is the address of the issuer's keys, a JWK set. If it is set, the
	// metadata is not read. It may have a query.
	KeysURL string

	// AllowHTTP accepts http for Issuer, DiscoveryURL, KeysURL and the metadata's
	// jwks_uri. Otherwise http is accepted for loopback addresses only. Set it only in
	// a network where an attacker cannot answer in place of the issuer: an attacker who
	// can publish keys can sign tokens for any user.
	AllowHTTP bool

	// Leeway is the accepted difference between the clocks of the issuer and of this
	// server, at most 5 minutes. 0 means DefaultLeeway.
	Leeway time.Duration

	// Client fetches the metadata and the keys. nil means a client that does not follow
	// redirects.
	Client *http.Client

	// Now is the clock; nil means time.Now. It must be safe for concurrent use.
	Now func() time.Time
}

// New returns an authenticator for the tokens that cfg describes. It makes no request, so
// it also works while the issuer cannot be reached. The error joins a [*FieldError] for
// every field that is invalid.
//
// The authenticator is safe for concurrent use and keeps no goroutine running.
func New(cfg Config) (httpapi.Authenticator, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	v := &verifier{config: cfg, keys: newKeyCache(newFetcher(cfg).keys, cfg.Now)}
	for _, a := range cfg.Algorithms {
		v.algorithms = append(v.algorithms, jose.SignatureAlgorithm(a))
	}
	return v.authenticate, nil
}

// asymmetric are the algorithms with a public key. With any other algorithm, every party
// that can verify a token can also make one.
var asymmetric = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// A FieldError describes one invalid field of a [Config]. [New] joins them with
// [errors.Join]. A program can replace Field by the name of its own setting.
type FieldError struct {
	Field string // the name of the field in Config
	Err   error  // what is wrong, and which values are valid
}

func (e *FieldError) Error() string { return "oidcauth: Config." + e.Field + ": " + e.Err.Error() }

func (e *FieldError) Unwrap() error { return e.Err }

func (c Config) withDefaults() (Config, error) {
	errs := c.checkAddresses()
	fault := func(field, format string, args ...any) {
		errs = append(errs, &FieldError{Field: field, Err: fmt.Errorf(format, args...)})
	}
	if c.Audience == "" {
		fault("Audience", "empty: set the service or the app that the tokens are for")
	}
	if c.OtherAudiences = slices.Clone(c.OtherAudiences); slices.Contains(c.OtherAudiences, "") {
		fault("OtherAudiences", "one of them is empty: remove it")
	}
	claim, ok := audienceClaims[c.Kind]
	switch {
	case !ok:
		fault("Kind", "%q: use %s, %s, %s or %s", c.Kind, Standard, Access, CognitoAccess, CognitoID)
	case c.AudienceClaim == "":
		c.AudienceClaim = claim
	case !slices.Contains([]string{"aud", "azp", "client_id", "cid"}, c.AudienceClaim):
		fault("AudienceClaim", "unknown claim: use aud, azp, client_id or cid")
	case c.AudienceClaim != claim && (c.Kind == CognitoAccess || c.Kind == CognitoID):
		fault("AudienceClaim", "%s tokens have their audience in %s: leave it empty", c.Kind, claim)
	}
	if c.Algorithms == nil {
		c.Algorithms = []string{"RS256", "ES256"}
	}
	c.Algorithms = slices.Clone(c.Algorithms)
	if len(c.Algorithms) == 0 {
		fault("Algorithms", "empty but not nil: use nil for the default")
	}
	for _, a := range c.Algorithms {
		if !slices.Contains(asymmetric, a) {
			fault("Algorithms", "%q: use %s", a, strings.Join(asymmetric, ", "))
		}
	}
	if c.Leeway == 0 {
		c.Leeway = DefaultLeeway
	}
	if c.Leeway < 0 || c.Leeway > maxLeeway {
		fault("Leeway", "%v: use up to %v", c.Leeway, maxLeeway)
	}
	if c.Client == nil {
		c.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, errors.Join(errs...)
}

// checkAddresses returns the errors of the URLs. Issuer must be a URL only if discovery
// begins there, because some issuers are just a name.
func (c Config) checkAddresses() []error {
	var errs []error
	check := func(field string, err error) {
		if err != nil {
			errs = append(errs, &FieldError{Field: field, Err: err})
		}
	}
	begins := c.DiscoveryURL == "" && c.KeysURL == ""
	switch {
	case c.Issuer == "":
		check("Issuer", errors.New("empty: set the tokens' claim iss"))
	case begins && strings.Contains(c.Issuer, "?"):
		check("Issuer", errors.New("the URL has a query: set DiscoveryURL to the address of the metadata"))
	case begins:
		check("Issuer", checkURL(c.Issuer, c.AllowHTTP))
	}
	if c.DiscoveryURL != "" {
		check("DiscoveryURL", checkURL(c.DiscoveryURL, c.AllowHTTP))
	}
	if c.KeysURL != "" {
		check("KeysURL", checkURL(c.KeysURL, c.AllowHTTP))
		if c.DiscoveryURL != "" || c.MetadataIssuer != "" {
			check("KeysURL", errors.New("the metadata is not read with KeysURL: remove DiscoveryURL and MetadataIssuer"))
		}
	}
	return errs
}

// checkURL returns an error unless keys may be fetched from the address, where an attacker
// must not be able to answer.
func checkURL(s string, allowHTTP bool) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil:
		return errors.New("not a URL with a host and without a user")
	case strings.Contains(s, "#"):
		return errors.New("a URL with a fragment")
	case u.Scheme == "https", u.Scheme == "http" && (allowHTTP || isLoopback(u.Hostname())):
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
