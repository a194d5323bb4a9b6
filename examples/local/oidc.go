package main

import (
	"flag"
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

// byFlag names the flags in the text of an error of oidcauth.New.
func byFlag(err error) string {
	return strings.NewReplacer("oidcauth: Config.Issuer", "-oidc-issuer", "oidcauth: Config.Audience", "-oidc-audience",
		"oidcauth: Config.Kind", "-oidc-token").Replace(err.Error())
}

// bearerIsUser takes the bearer token for the user id. It verifies nothing.
func bearerIsUser(r *http.Request) (tokens.UserID, error) {
	scheme, user, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || user == "" {
		return "", httpapi.ErrUnauthenticated
	}
	return tokens.UserID(user), nil
}
