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

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestWatched makes each change that a store can make, and then more than are kept.
func TestWatched(t *testing.T) {
	d := newDesk(t, nil)
	for _, r := range [][3]string{
		{"alice", "a", phone1}, {"alice", "a", phone1}, {"alice", "a", phone2}, {"bob", "a", phone2}, {"bob", "b", phone1}, {"bob", "c", phone3},
	} {
		d.register(r[0], r[1], r[2])
	}
	ctx, key := t.Context(), tokens.Key{UserID: "bob", DeviceID: "b"}
	for _, err := range []error{
		d.watched.Deactivate(ctx, key),
		d.watched.Invalidate(ctx, key, tokens.MustParseToken(phone1).Hash(), time.Now()),
		d.watched.Delete(ctx, key),
		d.watched.DeleteUser(ctx, "bob"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if d.watched.Delete(ctx, tokens.Key{}) == nil {
		t.Error("a key without a user is erased")
	}
	var got []string
	for _, e := range d.watched.last(maxEvents) {
		got = append([]string{string(e.Key.UserID) + " " + string(e.Key.DeviceID) + " " + string(e.What)}, got...)
	}
	want := []string{
		"alice a registered", "alice a refreshed", "alice a refreshed with another token",
		"alice a moved to another user, who logged in on the device", "bob a registered", "bob b registered",
		"bob a removed, because the user registered more devices than are allowed", "bob c registered",
		"bob b logged out", "bob b reported gone by Expo", "bob b erased", "bob  erased",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	for range maxEvents {
		d.register("carol", "a", phone1)
	}
	if n := len(d.watched.last(2 * maxEvents)); n != maxEvents {
		t.Errorf("%d events are kept", n)
	}
	if _, err := store.Inspect(ctx, d.watched, "carol"); err != nil {
		t.Errorf("Inspect: %v", err)
	}
}

// A reader keeps what a stream sends. Its writes wait for blocked, if that is not nil.
type reader struct {
	*httptest.ResponseRecorder
	mu      sync.Mutex
	blocked chan struct{}
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
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Body.String()
}

// open opens a stream. The channel is closed when it ends.
func open(t *testing.T, h *hub, r *reader) chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.ServeHTTP(r, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/events", nil))
	}()
	synctest.Wait()
	return ended
}

// TestStream: what is published reaches an open page at once, and the stream ends with
// the server.
func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		h := &hub{ctx: ctx, streams: map[chan []byte]bool{}}
		r := &reader{ResponseRecorder: httptest.NewRecorder()}
		ended := open(t, h, r)
		h.publish("event", 7)
		if got := r.text(); got != ": \n\nevent: event\ndata: 7\n\n" {
			t.Errorf("got %q", got)
		}
		time.Sleep(heartbeat)
		if got := r.text(); !strings.HasSuffix(got, "\n\n: \n\n") {
			t.Errorf("no heartbeat: %q", got)
		}
		select {
		case <-ended:
			t.Error("the stream ended")
		default:
		}
		stop()
		<-ended
		if len(h.streams) > 0 {
			t.Error("the stream is kept")
		}
	})
}

// TestSlowReader: a page that reads nothing delays no other page, and loses its stream.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hub{ctx: t.Context(), streams: map[chan []byte]bool{}}
		r := &reader{ResponseRecorder: httptest.NewRecorder(), blocked: make(chan struct{})}
		ended := open(t, h, r)
		for range 100 {
			h.publish("event", 0)
		}
		close(r.blocked)
		<-ended
	})
}
