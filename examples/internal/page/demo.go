package page

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const title = "Your taxi is here"

// Demo returns api with the demonstration at its root and with the console. The pages
// register two phones with api, whose store is s. api must take the bearer token for
// the user id: never mount the demonstration beside a real authenticator.
func Demo(api http.Handler, s store.Lister, console *Console) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		show(w, http.StatusOK, "demo.html", map[string]any{"Phones": []int{1, 2}, "Path": httpapi.Path})
	})
	mux.HandleFunc("POST /demo/send", func(w http.ResponseWriter, r *http.Request) { send(w, r, s) })
	mux.Handle("GET /page/", assets())
	own := guard(mux)
	return ownHost(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A mux would redirect a path of the API that is not clean.
		switch path := r.URL.Path; {
		case path == "/" || strings.HasPrefix(path, "/demo/") || strings.HasPrefix(path, "/page/"):
			own.ServeHTTP(w, r)
		case strings.HasPrefix(path+"/", "/console/"):
			console.ServeHTTP(w, r)
		default:
			api.ServeHTTP(w, r)
		}
	}))
}

// A sending is a request of the page: a message to a user. Phones has the token of each
// phone by its name, and Usual the user's tokens in the usual table.
type sending struct {
	To     tokens.UserID     `json:"to"`
	Phones map[string]string `json:"phones"`
	Usual  []string          `json:"usual"`
}

// send sends the message to the tokens of each of the two tables, through a fake of
// Expo. The response has how often each phone shows the message, and no token.
func send(w http.ResponseWriter, r *http.Request, s store.Lister) {
	var in sending
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&in); err != nil {
		http.Error(w, "the body is not what the page sends", http.StatusBadRequest)
		return
	}
	registrations, err := s.List(r.Context(), in.To)
	var ours []string
	for _, reg := range registrations {
		ours = append(ours, reg.Token.Reveal())
	}
	out := map[string]any{"title": title}
	for name, to := range map[string][]string{"ours": ours, "usual": in.Usual} {
		if err == nil {
			out[name], err = deliver(in, to)
		}
	}
	if err != nil {
		http.Error(w, "the message was not sent: "+string(store.OutcomeOf(err)), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// deliver sends a message to each token and returns how often each phone shows it.
func deliver(in sending, to []string) (map[string]int, error) {
	expo, shown := fakeexpo.New(fakeexpo.Options{}), map[string]int{}
	for _, token := range in.Phones {
		expo.Set(token, fakeexpo.Phone{})
	}
	err := expo.Push(to, title, string(in.To))
	for name, token := range in.Phones {
		shown[name] = expo.Received(token)
	}
	return shown, err
}
