package httpapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/devicetokens/devicetokens/tokens"
)

// An Authenticator says whose request this is. It is the only source of user
// ids, and there is no anonymous user. It is called before anything is read of
// the body, which it must leave alone, and concurrently.
//
// Its error decides the answer:
//
//   - [ErrUnauthenticated], 401: no credential, or not a good one.
//   - [store.ErrTryAgain], 503: it cannot tell now, as when the keys to verify a
//     signature with cannot be fetched. An app that got a 401 would log its user
//     out. So is context.DeadlineExceeded.
//   - any other, 500.
//
// The errors are matched with [errors.Is]. Their text is logged, so it must
// have no credential and no user id in it; it is never answered.
//
// A user id that breaks the rule of [tokens.UserID] is answered with 403.
type Authenticator func(*http.Request) (tokens.UserID, error)

// ErrUnauthenticated says that a request has no credential, or not a good one.
// An [Authenticator] returns it, or wraps it; the answer is 401.
var ErrUnauthenticated = errors.New("not authenticated")

// errForbidden says that the authenticator named a user who cannot be stored.
var errForbidden = errors.New("authenticated user id cannot be stored")

// authenticated returns an endpoint that runs next for a known user only.
func (h *handler) authenticated(next endpoint) endpoint {
	return func(c *call) (answer, error) {
		user, err := h.authenticate(c.r)
		var invalid *tokens.InvalidError
		switch {
		case errors.As(err, &invalid):
			// It is not about what the app sent, so it is no 422.
			return answer{}, fmt.Errorf("authenticator: %v", err)
		case err != nil:
			return answer{}, err
		}
		if err := user.Validate(); err != nil {
			return answer{}, fmt.Errorf("%w: %v", errForbidden, err) // the text names the rule, not the id
		}
		c.user = user
		return next(c)
	}
}
