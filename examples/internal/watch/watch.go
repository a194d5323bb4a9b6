// Package watch keeps the last changes that a process made to a store, for people to
// look at.
package watch

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

// A What is a kind of change of a registration, in words.
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

// Removes reports whether nothing is stored for the device afterwards.
func (w What) Removes() bool { return w == Moved || w == Evicted || w == Erased }

// MaxEvents is how many events are kept: a day's of a small team, some 100 KiB.
const MaxEvents = 1000

// A Store keeps the last changes that were made through it.
type Store struct {
	store.Store

	mu     sync.Mutex
	events []Event // the oldest first
	n      int
	notify func()
}

// New returns s with its last changes kept.
func New(s store.Store) *Store { return &Store{Store: s} }

// Unwrap returns the store that is watched, for its optional interfaces.
func (w *Store) Unwrap() store.Store { return w.Store }

// Last returns at most n of the last events, the newest first. A nil Store has none.
func (w *Store) Last(n int) []Event {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	events := slices.Clone(w.events[max(0, len(w.events)-n):])
	slices.Reverse(events)
	return events
}

// Notify has f called after each event, which must return at once. There is one f.
func (w *Store) Notify(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notify = f
}

// note keeps an event of a call that returned no error.
func (w *Store) note(err error, what What, keys ...tokens.Key) error {
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range keys {
		w.n++
		w.events = append(w.events[max(0, len(w.events)-MaxEvents+1):], Event{N: w.n, At: time.Now(), What: what, Key: key})
		if w.notify != nil {
			w.notify()
		}
	}
	return nil
}

// Register implements [store.Store].
func (w *Store) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	result, err := w.Store.Register(ctx, req)
	what := map[store.Outcome]What{store.Created: Registered, store.Refreshed: Refreshed, store.Replaced: NewToken}[result.Outcome]
	if result.Moved() {
		_ = w.note(err, Moved, result.MovedFrom)
	}
	_ = w.note(err, Evicted, result.Evicted...)
	return result, w.note(err, what, req.Key)
}

// Deactivate implements [store.Store].
func (w *Store) Deactivate(ctx context.Context, key tokens.Key) error {
	return w.note(w.Store.Deactivate(ctx, key), LoggedOut, key)
}

// Invalidate implements [store.Store].
func (w *Store) Invalidate(ctx context.Context, key tokens.Key, h tokens.Hash, sentAt time.Time) error {
	return w.note(w.Store.Invalidate(ctx, key, h, sentAt), Gone, key)
}

// Delete implements [store.Store].
func (w *Store) Delete(ctx context.Context, key tokens.Key) error {
	return w.note(w.Store.Delete(ctx, key), Erased, key)
}

// DeleteUser implements [store.Store].
func (w *Store) DeleteUser(ctx context.Context, user tokens.UserID) error {
	return w.note(w.Store.DeleteUser(ctx, user), Erased, tokens.Key{UserID: user})
}
