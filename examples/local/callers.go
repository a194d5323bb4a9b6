package main

import (
	"net/http"
	"strings"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth"
	"github.com/devicetokens/devicetokens/tokens"
)

// callers are those whom the server serves.
type callers struct {
	authenticate httpapi.Authenticator
	verified     bool
	greeting     func(baseURL string) string
}

// chooseCallers returns those with a token of the issuer that cfg names, or
// anybody if it says nothing.
func chooseCallers(cfg oidcauth.Config) (callers, error) {
	if cfg.Issuer == "" && cfg.Audience == "" && cfg.Kind == "" {
		return callers{authenticate: bearerIsUser, greeting: tryIt}, nil
	}
	if cfg.Kind == "" {
		cfg.Kind = oidcauth.Standard
	}
	authenticate, err := oidcauth.New(cfg)
	return callers{authenticate: authenticate, verified: true, greeting: func(baseURL string) string {
		return "Device tokens at " + baseURL + httpapi.Path + ", in memory, for bearer tokens of " + cfg.Issuer + "\n" +
			"Ctrl-C stops the server.\n"
	}}, err
}

// bearerIsUser takes the bearer token for the user id. It verifies nothing.
func bearerIsUser(r *http.Request) (tokens.UserID, error) {
	scheme, user, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || user == "" {
		return "", httpapi.ErrUnauthenticated
	}
	return tokens.UserID(user), nil
}
