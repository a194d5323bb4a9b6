package page

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// An Event is a change that a server made.
type Event struct {
	N    int // the number of the event
	At   time.Time
	What What
	Key  tokens.Key // without a device: of all devices of the user
}

// What is what happened to a registration, in words.
type What string

// What happens to registrations.
const (
	Registered What = "registered"
	Refreshed  What = "refreshed"
	NewToken   What = "refreshed with another token"
	Moved      What = "moved to another user, who logged in on the device"
	Evicted    What = "removed, because the user registered more devices than are allowed"
	LoggedOut  What = "logged out"
	Gone       What = "reported gone by Expo"
	Erased     What = "erased"
)

// removals are the changes after which nothing is stored for the device.
var removals = []What{Moved, Evicted, Erased}

// maxEvents is how many events are kept: a day's of a small team, some 100 KiB.
const maxEvents = 1000

// A Watched is a store that keeps the last changes that were made through it.
type Watched struct {
	store.Store

	mu     sync.Mutex
	events []Event // the oldest first
	n      int
	notify func()
}

// Watch returns s with its last changes kept.
func Watch(s store.Store) *Watched { return &Watched{Store: s} }

// Unwrap returns the store that is watched, for its optional interfaces.
func (w *Watched) Unwrap() store.Store { return w.Store }

// last returns the last events that are kept, the newest first.
func (w *Watched) last(n int) []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	events := slices.Clone(w.events[max(0, len(w.events)-n):])
	slices.Reverse(events)
	return events
}

// note keeps an event of a call that returned no error.
func (w *Watched) note(err error, what What, keys ...tokens.Key) error {
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range keys {
		w.n++
		w.events = append(w.events[max(0, len(w.events)-maxEvents+1):], Event{N: w.n, At: time.Now(), What: what, Key: key})
		if w.notify != nil {
			w.notify()
		}
	}
	return nil
}

// Register is the store's.
func (w *Watched) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	result, err := w.Store.Register(ctx, req)
	what := map[store.Outcome]What{store.Created: Registered, store.Refreshed: Refreshed, store.Replaced: NewToken}[result.Outcome]
	if result.Moved() {
		_ = w.note(err, Moved, result.MovedFrom)
	}
	_ = w.note(err, Evicted, result.Evicted...)
	return result, w.note(err, what, req.Key)
}

// Deactivate is the store's.
func (w *Watched) Deactivate(ctx context.Context, key tokens.Key) error {
	return w.note(w.Store.Deactivate(ctx, key), LoggedOut, key)
}

// Invalidate is the store's.
func (w *Watched) Invalidate(ctx context.Context, key tokens.Key, h tokens.Hash, sentAt time.Time) error {
	return w.note(w.Store.Invalidate(ctx, key, h, sentAt), Gone, key)
}

// Delete is the store's.
func (w *Watched) Delete(ctx context.Context, key tokens.Key) error {
	return w.note(w.Store.Delete(ctx, key), Erased, key)
}

// DeleteUser is the store's.
func (w *Watched) DeleteUser(ctx context.Context, user tokens.UserID) error {
	return w.note(w.Store.DeleteUser(ctx, user), Erased, tokens.Key{UserID: user})
}
