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

// oidcConfig declares the flags and returns what they set. The other fields of
// oidcauth.Config have no flag here.
func oidcConfig(flags *flag.FlagSet) *oidcauth.Config {
	cfg := &oidcauth.Config{Kind: oidcauth.Standard}
	flags.StringVar(&cfg.Issuer, "oidc-issuer", "", "verify bearer tokens of the OpenID Connect issuer at `URL`")
	flags.StringVar(&cfg.Audience, "oidc-audience", "", "`name` that the tokens have to be made for")
	flags.Func("oidc-token", "`kind` of the tokens: standard (the default), access, cognito-access or cognito-id", func(kind string) error {
		cfg.Kind = oidcauth.Kind(kind)
		return nil
	})
	flags.BoolVar(&cfg.AllowHTTP, "oidc-allow-http", false, "accept http for the issuer, in a network where no other party can answer")
	return cfg
}

// isOIDCSet reports whether a flag of oidcConfig is set, even to "": a user who sets one
// does not expect a server without authentication.
func isOIDCSet(flags *flag.FlagSet) bool {
	set := false
	flags.Visit(func(f *flag.Flag) { set = set || strings.HasPrefix(f.Name, "oidc-") })
	return set
}

// byFlag replaces the fields in an error of oidcauth.New by the names of the flags.
func byFlag(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	names := map[string]string{"Issuer": "oidc-issuer", "Audience": "oidc-audience", "Kind": "oidc-token"}
	var errs []error
	for _, err := range joined.Unwrap() {
		var field *oidcauth.FieldError
		if errors.As(err, &field) && names[field.Field] != "" {
			err = fmt.Errorf("-%s: %w", names[field.Field], field.Err)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// bearerIsUser takes the bearer token for the user id. It verifies nothing.
func bearerIsUser(r *http.Request) (tokens.UserID, error) {
	scheme, user, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || user == "" {
		return "", httpapi.ErrUnauthenticated
	}
	return tokens.UserID(user), nil
}
