package page

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// An event is a change that this process made.
type event struct {
	N    int // the number of the event
	At   time.Time
	What change
	Key  tokens.Key // without a device: all devices of the user
}

// A change is a kind of event, in words.
type change string

const (
	registered change = "registered"
	refreshed  change = "refreshed"
	newToken   change = "refreshed with another token"
	moved      change = "moved to another user, who logged in on the device"
	evicted    change = "removed, because the user registered more devices than are allowed"
	loggedOut  change = "logged out"
	gone       change = "reported gone by Expo"
	erased     change = "erased"
)

// removes reports whether nothing is stored for the device afterwards.
func (c change) removes() bool { return c == moved || c == evicted || c == erased }

// maxEvents is the number of events that are kept, some 100 KiB.
const maxEvents = 1000

// A Watched is a store that keeps the last changes that were made through it. It is
// safe for concurrent use.
type Watched struct {
	store.Store

	mu     sync.Mutex
	events []event // the oldest first
	n      int
	notify func()
}

// Watch returns s with its last changes kept.
func Watch(s store.Store) *Watched { return &Watched{Store: s, notify: func() {}} }

// Unwrap returns the store that is watched, for its optional interfaces.
func (w *Watched) Unwrap() store.Store { return w.Store }

// last returns at most n of the last events, the newest first. A nil Watched has none.
func (w *Watched) last(n int) []event {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	events := slices.Clone(w.events[max(0, len(w.events)-n):])
	slices.Reverse(events)
	return events
}

// note keeps an event of a call that returned no error.
func (w *Watched) note(err error, what change, keys ...tokens.Key) error {
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range keys {
		w.n++
		w.events = append(w.events[max(0, len(w.events)-maxEvents+1):], event{N: w.n, At: time.Now(), What: what, Key: key})
		w.notify()
	}
	return nil
}

// Register implements [store.Store].
func (w *Watched) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	result, err := w.Store.Register(ctx, req)
	what := map[store.Outcome]change{store.Created: registered, store.Refreshed: refreshed, store.Replaced: newToken}[result.Outcome]
	if result.Moved() {
		_ = w.note(err, moved, result.MovedFrom)
	}
	_ = w.note(err, evicted, result.Evicted...)
	return result, w.note(err, what, req.Key)
}

// Deactivate implements [store.Store].
func (w *Watched) Deactivate(ctx context.Context, key tokens.Key) error {
	return w.note(w.Store.Deactivate(ctx, key), loggedOut, key)
}

// Invalidate implements [store.Store].
func (w *Watched) Invalidate(ctx context.Context, key tokens.Key, h tokens.Hash, sentAt time.Time) error {
	return w.note(w.Store.Invalidate(ctx, key, h, sentAt), gone, key)
}

// Delete implements [store.Store].
func (w *Watched) Delete(ctx context.Context, key tokens.Key) error {
	return w.note(w.Store.Delete(ctx, key), erased, key)
}

// DeleteUser implements [store.Store].
func (w *Watched) DeleteUser(ctx context.Context, user tokens.UserID) error {
	return w.note(w.Store.DeleteUser(ctx, user), erased, tokens.Key{UserID: user})
}

// heartbeat is the time after which a stream without events sends a comment.
const heartbeat = 5 * time.Second

// A hub is an [http.Handler] that sends server-sent events to every open page. It is
// safe for concurrent use.
type hub struct {
	ctx     context.Context // ends the streams
	mu      sync.Mutex
	streams map[chan []byte]bool
}

// publish sends an event to every open page. A page that reads too slowly loses its
// stream; it opens another one and reads everything again.
func (h *hub) publish(name string, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for stream := range h.streams {
		select {
		case stream <- fmt.Appendf(nil, "event: %s\ndata: %d\n\n", name, n):
		default:
			close(stream)
			delete(h.streams, stream)
		}
	}
}

// ServeHTTP sends what is published until the page is closed.
func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	stream := make(chan []byte, 64)
	h.mu.Lock()
	h.streams[stream] = true
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.streams, stream)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Time{}) // the server's would end the stream
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for text := []byte(": \n\n"); ; {
		_ = connection.SetWriteDeadline(time.Now().Add(2 * heartbeat))
		if _, err := w.Write(text); err != nil || connection.Flush() != nil {
			return
		}
		var open bool
		select {
		case text, open = <-stream:
			if !open {
				return
			}
		case <-beat.C:
			text = []byte(": \n\n")
		case <-r.Context().Done():
			return
		case <-h.ctx.Done():
			return
		}
	}
}
