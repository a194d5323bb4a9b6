package main

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strings"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth"
	"github.com/devicetokens/devicetokens/tokens"
)

// oidcFlags has the flag of each field of oidcauth.Config.
var oidcFlags = map[string]string{
	"Issuer": "oidc-issuer", "Audience": "oidc-audience", "OtherAudiences": "oidc-audience", "Kind": "oidc-token",
	"AudienceClaim": "oidc-audience-claim", "Algorithms": "oidc-algorithms", "DiscoveryURL": "oidc-discovery-url",
	"MetadataIssuer": "oidc-metadata-issuer", "KeysURL": "oidc-keys-url",
}

// oidcConfig declares the flags and returns what they set.
func oidcConfig(flags *flag.FlagSet) *oidcauth.Config {
	cfg := &oidcauth.Config{Kind: oidcauth.Standard}
	flags.StringVar(&cfg.Issuer, "oidc-issuer", "", "verify bearer tokens of the OpenID Connect issuer at `URL`")
	flags.Func("oidc-audience", "`name` that the tokens have to be made for; repeat the flag to accept several", func(name string) error {
		if cfg.Audience == "" {
			cfg.Audience = name
		} else {
			cfg.OtherAudiences = append(cfg.OtherAudiences, name)
		}
		return nil
	})
	flags.Func("oidc-token", "`kind` of the tokens: standard (the default), access, cognito-access or cognito-id", func(kind string) error {
		cfg.Kind = oidcauth.Kind(kind)
		return nil
	})
	flags.StringVar(&cfg.AudienceClaim, "oidc-audience-claim", "", "`claim` that names the audience: aud, azp, client_id or cid (default by kind)")
	flags.Func("oidc-algorithms", "`names` separated by spaces, such as EdDSA (default RS256 ES256)", func(names string) error {
		cfg.Algorithms = strings.Fields(names)
		return nil
	})
	flags.StringVar(&cfg.DiscoveryURL, "oidc-discovery-url", "", "`URL` of the issuer's metadata, if it is not below the issuer")
	flags.StringVar(&cfg.MetadataIssuer, "oidc-metadata-issuer", "", "`issuer` that the metadata names, if it is another")
	flags.StringVar(&cfg.KeysURL, "oidc-keys-url", "", "`URL` of the issuer's keys, without metadata")
	flags.BoolVar(&cfg.AllowHTTP, "oidc-allow-http", false, "accept http for these URLs, in a network where no other party can answer")
	return cfg
}

// isOIDCSet reports whether a flag of oidcConfig is set, be it to
// nothing: a user who sets one does not expect a server without authentication.
func isOIDCSet(flags *flag.FlagSet) bool {
	set := false
	flags.Visit(func(f *flag.Flag) { set = set || strings.HasPrefix(f.Name, "oidc-") })
	return set
}

// byFlag names the flags in place of the fields that an error of oidcauth.New is
// about.
func byFlag(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var errs []error
	for _, err := range joined.Unwrap() {
		var field *oidcauth.FieldError
		if errors.As(err, &field) && oidcFlags[field.Field] != "" {
			err = fmt.Errorf("-%s: %w", oidcFlags[field.Field], field.Err)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// callers are those whom the server serves.
type callers struct {
	authenticate httpapi.Authenticator
	verified     bool
	greeting     func(baseURL, db, consolePath string) string
}

// chooseCallers returns an authenticator for the tokens that cfg describes, or one
// that verifies nothing if verified is false.
func chooseCallers(cfg oidcauth.Config, verified bool) (callers, error) {
	if !verified {
		return callers{authenticate: bearerIsUser, greeting: tryIt}, nil
	}
	authenticate, err := oidcauth.New(cfg)
	return callers{authenticate: authenticate, verified: true, greeting: func(baseURL, db, _ string) string {
		return "Device tokens at " + baseURL + httpapi.Path + ", kept in " + db + ", for bearer tokens of " + cfg.Issuer + "\n" +
			"Ctrl-C stops the server.\n"
	}}, byFlag(err)
}

// bearerIsUser takes the bearer token for the user id. It verifies nothing.
func bearerIsUser(r *http.Request) (tokens.UserID, error) {
	scheme, user, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || user == "" {
		return "", httpapi.ErrUnauthenticated
	}
	return tokens.UserID(user), nil
}
