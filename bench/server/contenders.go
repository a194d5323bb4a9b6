// Package server compares httpapi with a bare handler that decodes a body, stores
// it and encodes the answer, by the standard library and in the fewest lines. Both
// store in a memstore, read the user id from a header, and write no log.
//
// Tests hold them to the same answers, and bound httpapi's allocations by those of
// the bare handler.
package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// The names of the contenders.
const (
	Bare = "bare"
	Ours = "httpapi"
)

// Names are those of all contenders, the floor first.
var Names = []string{Bare, Ours}

// Handler returns the contender of that name, with an empty store. now is nil for
// time.Now.
func Handler(name string, now func() time.Time) (http.Handler, error) {
	s := memstore.MustNew(store.Policy{Now: now})
	switch name {
	case Bare:
		return bare(s), nil
	case Ours:
		return httpapi.MustNew(s, authenticate, httpapi.Options{Logger: slog.New(slog.DiscardHandler)}), nil
	}
	return nil, fmt.Errorf("no contender is called %q", name)
}

// authenticate takes the bearer token for the user id.
func authenticate(r *http.Request) (tokens.UserID, error) {
	user, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return "", httpapi.ErrUnauthenticated
	}
	return tokens.UserID(user), nil
}

// An Operation is a request that is measured.
type Operation struct {
	Name   string
	Method string
	Body   func(device int) string // nil if there is none
}

// Devices is how many devices the user has who is listed.
const Devices = 20

// Operations returns all that are measured, in an order in which each finds what
// it needs.
func Operations() []Operation {
	return []Operation{
		{"refresh", http.MethodPost, func(device int) string {
			return fmt.Sprintf(`{"deviceId":"%08X-1B4E-4C3D-9A5F-6E7D8C9B0A1F","expoPushToken":"ExponentPushToken[%022d]",`+
				`"platform":"ios","projectId":"0f9a3b52-6f5e-4b8e-9d0c-2f6f1f1c6d2e"}`, device, device)
		}},
		{"list-20", http.MethodGet, nil},
	}
}
