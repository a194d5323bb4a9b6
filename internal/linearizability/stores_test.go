package linearizability

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Stores that are correct for one caller and not for concurrent callers. Each has a
// plausible mistake.

// deleteFirst moves a token in two steps: between them, no row has it.
type deleteFirst struct{ store.Store }

func (s deleteFirst) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	previous, err := s.Holder(ctx, req.Token.Hash())
	if err != nil || previous.Key == req.Key {
		return s.Store.Register(ctx, req)
	}
	if err := s.Delete(ctx, previous.Key); err != nil {
		return store.Result{}, err
	}
	runtime.Gosched()
	result, err := s.Store.Register(ctx, req)
	if previous.Key.UserID != req.Key.UserID && previous.Active() {
		result.MovedFrom = previous.Key
	}
	return result, err
}

// A byUser has a store for each user, and no claims: it looks whether another
// user has the token before it writes.
type byUser struct{ of map[tokens.UserID]store.Store }

func (s byUser) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	var from tokens.Key
	for user, other := range s.of {
		if previous, err := other.Holder(ctx, req.Token.Hash()); err == nil && user != req.Key.UserID {
			if previous.Active() {
				from = previous.Key
			}
			runtime.Gosched()
			if err := other.Delete(ctx, previous.Key); err != nil {
				return store.Result{}, err
			}
		}
	}
	result, err := s.of[req.Key.UserID].Register(ctx, req)
	result.MovedFrom = from
	return result, err
}

func (s byUser) Holder(ctx context.Context, h tokens.Hash) (tokens.Registration, error) {
	for _, other := range s.of {
		if reg, err := other.Holder(ctx, h); err == nil {
			return reg, nil
		}
	}
	return tokens.Registration{}, store.ErrNotFound
}

func (s byUser) Get(ctx context.Context, k tokens.Key) (tokens.Registration, error) {
	return s.of[k.UserID].Get(ctx, k)
}

func (s byUser) List(ctx context.Context, u tokens.UserID) ([]tokens.Registration, error) {
	return s.of[u].List(ctx, u)
}

func (s byUser) Deactivate(ctx context.Context, k tokens.Key) error {
	return s.of[k.UserID].Deactivate(ctx, k)
}

func (s byUser) Invalidate(ctx context.Context, k tokens.Key, h tokens.Hash, sentAt time.Time) error {
	return s.of[k.UserID].Invalidate(ctx, k, h, sentAt)
}

func (s byUser) Delete(ctx context.Context, k tokens.Key) error { return s.of[k.UserID].Delete(ctx, k) }

func (s byUser) DeleteUser(ctx context.Context, u tokens.UserID) error {
	return s.of[u].DeleteUser(ctx, u)
}

// An unconditional invalidation checks that the row has the token, and then marks the
// row without a condition.
type unconditional struct{ store.Store }

func (s unconditional) Invalidate(ctx context.Context, k tokens.Key, h tokens.Hash, sentAt time.Time) error {
	reg, err := s.Get(ctx, k)
	if err != nil || reg.Token.Hash() != h {
		return s.Store.Invalidate(ctx, k, h, sentAt)
	}
	runtime.Gosched()
	if reg, err = s.Get(ctx, k); err != nil {
		return s.Store.Invalidate(ctx, k, h, sentAt)
	}
	return s.Store.Invalidate(ctx, k, reg.Token.Hash(), sentAt)
}

// A behind answers Get from a replica, which is one read behind.
type behind struct {
	store.Store
	mu   sync.Mutex
	last map[tokens.Key]tokens.Registration
}

func (s *behind) Get(ctx context.Context, k tokens.Key) (tokens.Registration, error) {
	reg, err := s.Store.Get(ctx, k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.last[k]; ok && err == nil {
		s.last[k] = reg
		return last, nil
	}
	if err == nil {
		s.last[k] = reg
	}
	return reg, err
}

// A twice repeats a logout as a client does whose answer was lost, without
// recording it.
type twice struct {
	store.Store
	again chan tokens.Key
}

func (s twice) Deactivate(ctx context.Context, k tokens.Key) error {
	err := s.Store.Deactivate(ctx, k)
	select {
	case s.again <- k:
	default:
	}
	return err
}

func (s twice) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	result, err := s.Store.Register(ctx, req)
	select {
	case k := <-s.again:
		return result, errors.Join(err, s.Store.Deactivate(ctx, k))
	default:
		return result, err
	}
}
