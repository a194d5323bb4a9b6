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

// A Config names the tokens that are accepted. Issuer, Kind and Audience are
// required; the zero values of the rest are safe. The package comment lists what
// each provider needs.
type Config struct {
	// Issuer is the claim iss, to the letter. Unless DiscoveryURL or KeysURL is
	// set, discovery begins there, so it is an https URL without query and
	// fragment.
	Issuer string

	// Kind decides which tokens of the issuer are accepted.
	Kind Kind

	// Audience is the value that the audience claim must have: the name of this
	// service or of the app, depending on Kind.
	Audience string

	// OtherAudiences are accepted as Audience is, for several apps of one issuer.
	// It is copied.
	OtherAudiences []string

	// AudienceClaim is the claim that names the audience: aud, azp, client_id or
	// cid. "" means the one that Kind names. azp, client_id and cid name the app
	// that asked for the token, so with those a token that this app got for
	// another service is accepted too.
	AudienceClaim string

	// Algorithms are those that a token may be signed with (RFC 7518, section
	// 3.1): RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or
	// EdDSA. nil means RS256 and ES256. It is copied.
	Algorithms []string

	// DiscoveryURL is the address of the issuer's metadata, if it is not
	// Issuer/.well-known/openid-configuration. It may have a query.
	DiscoveryURL string

	// MetadataIssuer is the issuer that the metadata names, if it is not Issuer.
	// The two often differ by a trailing slash only.
	MetadataIssuer string

	// KeysURL is the address of the issuer's keys, a JWK set. With it the metadata
	// is not read. It may have a query.
	KeysURL string

	// AllowHTTP accepts http for Issuer, DiscoveryURL, KeysURL and the metadata's
	// jwks_uri. Without it, http is accepted for a loopback address only. Set it
	// only in a network where no other party can answer: a false answer lets its
	// author be any user.
	AllowHTTP bool

	// Leeway is how far the clocks of the issuer and of this server may be apart:
	// at most 5 minutes. 0 means DefaultLeeway.
	Leeway time.Duration

	// Client fetches the keys. nil means one that follows no redirects.
	Client *http.Client

	// Now is the clock; nil means time.Now. It must be safe for concurrent use.
	Now func() time.Time
}

// New returns an authenticator for the tokens that cfg describes. It makes no
// request, so it also works while the issuer cannot be reached. The error has a
// [*FieldError] for every field that is out of range.
//
// The authenticator is safe for concurrent use, and keeps no goroutine running.
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

// asymmetric are the algorithms that a public key verifies. With any other, who
// can verify a token can make one.
var asymmetric = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// A FieldError is the fault of one field of a [Config]. [New] returns its faults
// joined (see [errors.Join]), so that a program can name its own settings.
type FieldError struct {
	Field string // of Config
	Err   error  // the fault, and what would be right
}

func (e *FieldError) Error() string { return "oidcauth: Config." + e.Field + ": " + e.Err.Error() }

func (e *FieldError) Unwrap() error { return e.Err }

func (c Config) withDefaults() (Config, error) {
	errs := c.checkAddresses()
	fault := func(field, format string, args ...any) {
		errs = append(errs, &FieldError{Field: field, Err: fmt.Errorf(format, args...)})
	}
	if c.Audience == "" {
		fault("Audience", "empty: name the service or the app that the tokens are for")
	}
	if c.OtherAudiences = slices.Clone(c.OtherAudiences); slices.Contains(c.OtherAudiences, "") {
		fault("OtherAudiences", "one is empty")
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
		fault("Algorithms", "empty, but not nil")
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

// checkAddresses returns what is wrong with the URLs. Issuer is one only where
// discovery begins there: some issuers are just a name.
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
		check("Issuer", errors.New("a URL with a query"))
	case begins:
		check("Issuer", checkURL(c.Issuer, c.AllowHTTP))
	}
	if c.DiscoveryURL != "" {
		check("DiscoveryURL", checkURL(c.DiscoveryURL, c.AllowHTTP))
	}
	if c.KeysURL != "" {
		check("KeysURL", checkURL(c.KeysURL, c.AllowHTTP))
		if c.DiscoveryURL != "" || c.MetadataIssuer != "" {
			check("KeysURL", errors.New("with it no metadata is read: unset DiscoveryURL and MetadataIssuer"))
		}
	}
	return errs
}

// checkURL accepts an address that keys may be fetched from: no other party can
// answer in its place.
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
