package page

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	usualBase = "/demo/usual"
	title     = "Your taxi is here"
	project   = "@demo/taxi"
)

// Demo returns api with the demonstration at its root: two phones, whose clicks the
// page sends to api and to a usual table beside it. api is the handler of s and
// takes the bearer token for the user id, as authenticate does, so never mount the
// demonstration beside a real authenticator.
func Demo(api http.Handler, s store.Lister, authenticate httpapi.Authenticator) http.Handler {
	usual := &usualTable{rows: map[tokens.Key]tokens.Registration{}}
	d := &demo{tables: map[bool]store.Lister{false: s, true: usual}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", d.page)
	mux.HandleFunc("POST /demo/send", d.send)
	mux.Handle(usualBase+httpapi.Path, httpapi.MustNew(usual, authenticate, httpapi.Options{
		BasePath: usualBase, Logger: slog.New(slog.DiscardHandler),
	}))
	mux.Handle("GET /page/", assets())
	own := guard(mux)
	return ownHost(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Not by a mux: that would answer for the API if a path is not clean.
		if path := r.URL.Path; path == "/" || strings.HasPrefix(path, "/demo/") || strings.HasPrefix(path, "/page/") {
			own.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	}))
}

type demo struct {
	tables map[bool]store.Lister // by whether it is the usual table
}

func (d *demo) page(w http.ResponseWriter, _ *http.Request) {
	show(w, http.StatusOK, "demo.html", map[string]any{"Phones": []int{1, 2}, "Path": httpapi.Path, "UsualPath": usualBase + httpapi.Path})
}

// A sending is what the page asks for: a message to a user, while there are these
// phones, by name, with these tokens.
type sending struct {
	To     tokens.UserID     `json:"to"`
	Usual  bool              `json:"usual"`
	Phones map[string]string `json:"phones"`
}

// send does what a sender does, with a fake in the place of Expo: it lists the
// user's registrations and sends each token the message. It answers what the phones
// then show, and no token.
func (d *demo) send(w http.ResponseWriter, r *http.Request) {
	var in sending
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&in); err != nil {
		http.Error(w, "the body is not what the page sends", http.StatusBadRequest)
		return
	}
	registrations, err := d.tables[in.Usual].List(r.Context(), in.To)
	if err != nil {
		http.Error(w, "the store gave no answer: "+string(store.OutcomeOf(err)), http.StatusServiceUnavailable)
		return
	}
	expo := fakeexpo.New(fakeexpo.Options{})
	for _, token := range in.Phones {
		expo.Set(token, fakeexpo.Phone{Project: project})
	}
	if err := deliver(r.Context(), expo, in.To, registrations); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	shown := map[string]int{}
	for name, token := range in.Phones {
		shown[name] = expo.Received(token)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"title": title, "messages": len(registrations), "shown": shown})
}

// deliver sends one message to each registration, in one request. A user has fewer
// than a request may have.
func deliver(ctx context.Context, expo http.Handler, to tokens.UserID, registrations []tokens.Registration) error {
	if len(registrations) == 0 {
		return nil
	}
	var messages []map[string]any
	for _, r := range registrations {
		messages = append(messages, map[string]any{"to": r.Token.Reveal(), "title": title, "data": map[string]any{"recipient": to}})
	}
	body, err := json.Marshal(messages)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fakeexpo.Path+"/send", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	answer := &answer{status: http.StatusOK}
	expo.ServeHTTP(answer, req)
	if answer.status != http.StatusOK {
		return fmt.Errorf("the fake of Expo refused the message with status %d", answer.status)
	}
	return nil
}

// An answer keeps the status of an answer that is made within this process.
type answer struct{ status int }

func (a *answer) Header() http.Header         { return http.Header{} }
func (a *answer) Write(p []byte) (int, error) { return len(p), nil }
func (a *answer) WriteHeader(status int)      { a.status = status }
