package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/devicetokens/devicetokens/httpapi"
)

// A caller makes one request of a handler again and again, with as little of its
// own as can be: the handler finds a new body and a writer without header fields
// each time, and nothing else is new.
type caller struct {
	handler http.Handler
	request *http.Request
	text    string
	body    reader
	writer  writer
}

// Caller returns a function that makes the request of the handler. It is to be
// called by one goroutine.
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

// Register registers devices of the user who calls, so that the first is
// refreshed from then on, and all are listed.
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
