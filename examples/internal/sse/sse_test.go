package sse

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A reader keeps what a stream sends, or blocks.
type reader struct {
	*httptest.ResponseRecorder
	mu      sync.Mutex
	blocked chan struct{} // not nil: writes wait for it
}

func (r *reader) Write(p []byte) (int, error) {
	if r.blocked != nil {
		<-r.blocked
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ResponseRecorder.Write(p)
}

func (r *reader) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Body.String()
}

// open opens a stream and returns a function that reports whether it ended.
func open(t *testing.T, h *Hub, r *reader) (ended func() bool) {
	done := make(chan struct{})
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/events", nil)
	go func() {
		defer close(done)
		h.ServeHTTP(r, req)
	}()
	return func() bool {
		synctest.Wait()
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
}

// TestStream: what is published reaches an open page at once, and the stream ends with
// the server.
func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		h := NewHub(ctx)
		r := &reader{ResponseRecorder: httptest.NewRecorder()}
		ended := open(t, h, r)
		synctest.Wait()
		h.Publish("event", 7)
		synctest.Wait()
		if got := r.text(); got != ": \n\nevent: event\ndata: 7\n\n" {
			t.Errorf("got %q", got)
		}
		time.Sleep(heartbeat)
		synctest.Wait()
		if got := r.text(); !strings.HasSuffix(got, "\n\n: \n\n") {
			t.Errorf("no heartbeat: %q", got)
		}
		if ended() {
			t.Error("it ended")
		}
		stop()
		if !ended() {
			t.Error("it outlives the server")
		}
		if len(h.streams) > 0 {
			t.Error("the stream is kept")
		}
	})
}

// TestSlowReader: a page that reads nothing delays no other page, and loses its stream.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub(t.Context())
		r := &reader{ResponseRecorder: httptest.NewRecorder(), blocked: make(chan struct{})}
		ended := open(t, h, r)
		synctest.Wait()
		for range 100 {
			h.Publish("event", 0)
		}
		close(r.blocked)
		if !ended() {
			t.Error("it is still open")
		}
	})
}
