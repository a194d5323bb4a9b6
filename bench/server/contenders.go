// Package server compares httpapi with a bare handler, which decodes a body, stores it
// and encodes the response with the standard library. Both use a memstore, read the user
// id from a header, and write no log.
//
// Tests check that both give the same responses, and limit httpapi's allocations relative
// to the bare handler's.
package server

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
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

// Names has the names of all contenders, the bare handler first.
var Names = []string{Bare, Ours}

// Handler returns the named contender with an empty store. A nil now means time.Now.
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

// authenticate uses the bearer token as the user id.
func authenticate(r *http.Request) (tokens.UserID, error) {
	user, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return "", httpapi.ErrUnauthenticated
	}
	return tokens.UserID(user), nil
}

// An Operation is a measured request.
type Operation struct {
	Name   string
	Method string
	Body   func(device int) string // nil if there is none
}

// Devices is the number of devices of the listed user.
const Devices = 20

// Operations returns the measured operations, in an order in which each finds the
// registrations that it needs.
func Operations() []Operation {
	return []Operation{
		{"refresh", http.MethodPost, func(device int) string {
			return fmt.Sprintf(`{"deviceId":"%08X-1B4E-4C3D-9A5F-6E7D8C9B0A1F","expoPushToken":"ExponentPushToken[%022d]",`+
				`"platform":"ios","projectId":"0f9a3b52-6f5e-4b8e-9d0c-2f6f1f1c6d2e"}`, device, device)
		}},
		{"list-20", http.MethodGet, nil},
	}
}

// A caller repeats one request to a handler with minimal overhead: only the body and the
// header fields of the writer are new each time.
type caller struct {
	handler http.Handler
	request *http.Request
	text    string
	body    reader
	writer  writer
}

// Caller returns a function that sends the request to the handler. It is not safe for
// concurrent use.
func (op Operation) Caller(h http.Handler) func() error {
	c := &caller{handler: h, request: httptest.NewRequest(op.Method, httpapi.Path, nil), writer: writer{header: make(http.Header)}}
	c.request.Header.Set("Authorization", "Bearer 7c9e6679-7425-40de-944b-e07fc1f90ae7")
	if op.Body != nil {
		c.request.Header.Set("Content-Type", "application/json")
		c.text = op.Body(0)
		c.request.ContentLength = int64(len(c.text))
		c.request.Body = &c.body
	}
	return c.call
}

func (c *caller) call() error {
	c.body.Reset(c.text)
	clear(c.writer.header)
	c.writer.status, c.writer.wrote = 0, 0
	c.handler.ServeHTTP(&c.writer, c.request)
	if c.writer.status != http.StatusOK || c.writer.wrote == 0 {
		return fmt.Errorf("%s was answered with %d and %d bytes", c.request.Method, c.writer.status, c.writer.wrote)
	}
	return nil
}

// Register registers devices of the caller, so that later requests refresh the first one
// and list all.
func Register(h http.Handler, devices int) error {
	refresh := Operations()[0]
	for device := range devices {
		r := httptest.NewRequest(refresh.Method, httpapi.Path, strings.NewReader(refresh.Body(device)))
		r.Header.Set("Authorization", "Bearer 7c9e6679-7425-40de-944b-e07fc1f90ae7")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusCreated {
			return fmt.Errorf("device %d was answered with %d", device, w.Code)
		}
	}
	return nil
}

type reader struct{ strings.Reader }

func (*reader) Close() error { return nil }

type writer struct {
	header http.Header
	status int
	wrote  int
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) { w.status = status }

func (w *writer) Write(p []byte) (int, error) {
	w.wrote += len(p)
	return len(p), nil
}
