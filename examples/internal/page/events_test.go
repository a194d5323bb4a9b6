package page

import (
	"context"
	"net/http"
	"net/http/httptest"
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

// A reader is an open page. It reads what a stream sends from wrote.
type reader struct {
	http.ResponseWriter
	wrote, ended chan string
}

func (r reader) Write(text []byte) (int, error) {
	r.wrote <- string(text)
	return len(text), nil
}

func (r reader) Flush() {}

// open opens a stream. The channel ended is closed when it ends.
func open(t *testing.T, h *hub) reader {
	r := reader{httptest.NewRecorder(), make(chan string), make(chan string)}
	go func() {
		defer close(r.ended)
		h.ServeHTTP(r, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/events", nil))
	}()
	synctest.Wait()
	return r
}

// TestStream: what is published reaches an open page at once, and the stream ends with
// the server.
func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		h := &hub{ctx: ctx, streams: map[chan []byte]bool{}}
		r, began := open(t, h), time.Now()
		h.publish("event", 7)
		got := []string{<-r.wrote, <-r.wrote}
		quick := time.Since(began)
		got = append(got, <-r.wrote)
		if diff := cmp.Diff([]string{": \n\n", "event: event\ndata: 7\n\n", ": \n\n"}, got); diff != "" {
			t.Errorf("stream (-want +got):\n%s", diff)
		}
		if beat := time.Since(began); quick != 0 || beat != heartbeat {
			t.Errorf("the event came after %v, and the heartbeat after %v", quick, beat)
		}
		stop()
		<-r.ended
		if len(h.streams) > 0 {
			t.Error("the stream is kept")
		}
	})
}

// TestSlowReader: a page that reads nothing delays no other page, and loses its stream.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hub{ctx: t.Context(), streams: map[chan []byte]bool{}}
		r := open(t, h)
		for range 100 {
			h.publish("event", 0)
		}
		if len(h.streams) > 0 {
			t.Error("the stream is kept")
		}
		for {
			select {
			case <-r.wrote:
			case <-r.ended:
				return
			}
		}
	})
}
