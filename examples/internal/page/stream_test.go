package page

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

// open opens the stream of a page and returns a function that reports whether it
// ended.
func (d *desk) open(r *reader) (ended func() bool) {
	done := make(chan struct{})
	req := httptest.NewRequestWithContext(d.t.Context(), http.MethodGet, "http://127.0.0.1:8080/console/events", nil)
	req.RemoteAddr = "127.0.0.1:1234"
	req.Header.Set("Cookie", "console-8080="+d.console.key)
	go func() {
		defer close(done)
		d.console.ServeHTTP(r, req)
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

// TestStream: what happens reaches an open page at once, and the stream ends with the
// server.
func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		ctx, stop := context.WithCancel(t.Context())
		d.console.ctx = ctx
		r := &reader{ResponseRecorder: httptest.NewRecorder()}
		ended := d.open(r)
		synctest.Wait()
		d.register("alice", "phone", phone1)
		synctest.Wait()
		if got := r.text(); got != ": \n\nevent: event\ndata: 0\n\n" {
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
		if len(d.console.streams) > 0 {
			t.Error("the stream is kept")
		}
	})
}

// TestSlowReader: a page that reads nothing delays no other page, and loses its stream.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		r := &reader{ResponseRecorder: httptest.NewRecorder(), blocked: make(chan struct{})}
		ended := d.open(r)
		synctest.Wait()
		for range 100 {
			d.register("alice", "phone", phone1)
		}
		close(r.blocked)
		if !ended() {
			t.Error("it is still open")
		}
	})
}
