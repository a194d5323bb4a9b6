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
