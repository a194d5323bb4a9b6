package httpapi_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// sessions stands in for your session store.
var sessions = map[string]tokens.UserID{"session-1": "alice", "session-2": "bob"}

// bySession is an authenticator: it knows the user by a bearer token.
func bySession(r *http.Request) (tokens.UserID, error) {
	id, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return "", httpapi.ErrUnauthenticated
	}
	user, ok := sessions[id]
	if !ok {
		return "", httpapi.ErrUnauthenticated
	}
	return user, nil
}

// request sends what an app sends, without a network.
func request(h http.Handler, session, method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+session)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Request-Id", "example")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// A phone changes hands: Bob logs in on it, and Alice is no longer reached by it.
func Example() {
	handler := httpapi.MustNew(memstore.MustNew(store.Policy{}), bySession, httpapi.Options{
		Logger: slog.New(slog.DiscardHandler),
	})
	const phone = `{"deviceId": "phone", "expoPushToken": "ExponentPushToken[abc]", "platform": "ios"}`

	fmt.Println("alice registers:", request(handler, "session-1", "POST", "/v1/device-tokens", phone).Code)
	fmt.Println("bob registers:  ", request(handler, "session-2", "POST", "/v1/device-tokens", phone).Code)
	fmt.Println("alice's list:   ", request(handler, "session-1", "GET", "/v1/device-tokens", "").Body)
	fmt.Println("bob logs out:   ", request(handler, "session-2", "DELETE", "/v1/device-tokens?deviceId=phone", "").Code)
	fmt.Println("bob's list:     ", request(handler, "session-2", "GET", "/v1/device-tokens", "").Body)

	// Output:
	// alice registers: 201
	// bob registers:   201
	// alice's list:    {"deviceTokens":[]}
	// bob logs out:    204
	// bob's list:      {"deviceTokens":[]}
}

// An observer feeds metrics: here, how many phones changed hands.
func ExampleOptions_observe() {
	outcomes, moved := map[store.Outcome]int{}, 0
	handler := httpapi.MustNew(memstore.MustNew(store.Policy{}), bySession, httpapi.Options{
		Logger: slog.New(slog.DiscardHandler),
		Observe: func(e httpapi.Event) { // a server has to guard these against concurrent calls
			outcomes[e.Outcome]++
			if e.Moved {
				moved++
			}
		},
	})
	const phone = `{"deviceId": "phone", "expoPushToken": "ExponentPushToken[abc]", "platform": "ios"}`
	request(handler, "session-1", "POST", "/v1/device-tokens", phone)
	request(handler, "session-1", "POST", "/v1/device-tokens", phone)
	request(handler, "session-2", "POST", "/v1/device-tokens", phone)
	request(handler, "session-3", "POST", "/v1/device-tokens", phone)
	fmt.Println(outcomes)
	fmt.Println("moved:", moved)

	// Output:
	// map[created:2 invalid:1 refreshed:1]
	// moved: 1
}

// An API beside its own description.
func ExampleOpenAPI() {
	mux := http.NewServeMux()
	mux.Handle("/v1/", httpapi.MustNew(memstore.MustNew(store.Policy{}), bySession, httpapi.Options{}))
	document := httpapi.OpenAPI()
	mux.HandleFunc("GET /openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(document)
	})
	line, _, _ := strings.Cut(request(mux, "", "GET", "/openapi.yaml", "").Body.String(), "\n")
	fmt.Println(line)

	// Output:
	// openapi: 3.1.1
}
