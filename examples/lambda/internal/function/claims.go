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

// claimsUser is the [httpapi.Authenticator] behind a gateway with an authorizer that
// verifies tokens: a Cognito authorizer of a REST API, or a JWT authorizer of an HTTP
// API. The user is the claim sub. Other claims are ignored.
//
// A request without claims came by a route without such an authorizer. The error is
// then not ErrUnauthenticated, because with a 401 the app would log its user out.
func claimsUser(r *http.Request) (tokens.UserID, error) {
	inv := invocationOf(r.Context())
	if inv == nil {
		return "", errors.New("the request does not belong to an invocation")
	}
	sub := text(object(inv.claims)["sub"])
	switch {
	case sub == "":
		return "", errors.New("the event has no claim sub: add an authorizer to the route. " +
			"A function URL and a load balancer have no authorizer: set " + envAuth + " to oidc there")
	case !jsontext.Value(inv.claims).IsValid(jsontext.AllowDuplicateNames(true)), strings.ContainsRune(sub, '\ufffd'):
		// encoding/json or the gateway has replaced an invalid character by U+FFFD,
		// so two users could have the same id.
		return "", fmt.Errorf("%w: the claims are not Unicode", httpapi.ErrUnauthenticated)
	}
	return tokens.UserID(sub), nil
}
