package function

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/tokens"
)

// claimsUser is the [httpapi.Authenticator] behind an authorizer of the gateway,
// which lets no request through whose token it has not verified: a Cognito
// authorizer of a REST API, a JWT authorizer of an HTTP API. The user is the claim
// sub; the other claims may be anything.
//
// A request without claims came by a route that has no such authorizer. That is
// not the caller's fault, so the caller is not logged out for it.
func claimsUser(r *http.Request) (tokens.UserID, error) {
	inv := invocationOf(r.Context())
	if inv == nil {
		return "", errors.New("not a request of an invocation")
	}
	sub := text(object(inv.claims)["sub"])
	switch {
	case sub == "":
		return "", errors.New("the event has no claim sub: has the route an authorizer? " +
			"A function URL and a load balancer have none: set " + envAuth + " to oidc behind those")
	case !jsontext.Value(inv.claims).IsValid(jsontext.AllowDuplicateNames(true)), strings.ContainsRune(sub, '\ufffd'):
		// encoding/json, or the gateway itself, replaced an invalid character by
		// U+FFFD: two users could become one.
		return "", fmt.Errorf("%w: the claims are not Unicode", httpapi.ErrUnauthenticated)
	}
	return tokens.UserID(sub), nil
}
