package function

import (
	"errors"
	"net/http"

	"github.com/devicetokens/devicetokens/tokens"
)

// claimsUser is the [httpapi.Authenticator] behind an authorizer of the gateway,
// which lets no request through whose token it has not verified: a Cognito
// authorizer of a REST API, a JWT authorizer of an HTTP API. The user is the claim
// sub.
//
// A request without claims says that the route has no such authorizer. That is
// not the caller's fault, and nobody is to find out by being logged out.
func claimsUser(r *http.Request) (tokens.UserID, error) {
	inv := invocationOf(r.Context())
	if inv == nil || inv.claims["sub"] == "" {
		return "", errors.New("the event has no claim sub: has the route an authorizer?")
	}
	return tokens.UserID(inv.claims["sub"]), nil
}

// restClaims reads the authorizer's part of a REST event. A Lambda authorizer puts
// values of its own there; no claims are among them, since it can put no object.
func restClaims(authorizer map[string]any) map[string]string {
	object, _ := authorizer["claims"].(map[string]any)
	claims := make(map[string]string, len(object))
	for name, value := range object {
		if text, ok := value.(string); ok {
			claims[name] = text
		}
	}
	return claims
}
