package memstore

import (
	"cmp"
	"context"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, key tokens.Key) (tokens.Registration, error) {
	if err := cmp.Or(key.Validate(), ctx.Err()); err != nil {
		return tokens.Registration{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()

	r := s.find(key)
	if r == nil || r.Expired(now) {
		return tokens.Registration{}, store.ErrNotFound
	}
	return r.Registration, nil
}

// Holder implements [store.Store].
func (s *Store) Holder(ctx context.Context, h tokens.Hash) (tokens.Registration, error) {
	if err := cmp.Or(h.Validate(), ctx.Err()); err != nil {
		return tokens.Registration{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()

	r := s.holders[h]
	if r == nil || r.Expired(now) {
		return tokens.Registration{}, store.ErrNotFound
	}
	return r.Registration, nil
}

// List implements [store.Store].
func (s *Store) List(ctx context.Context, user tokens.UserID) ([]tokens.Registration, error) {
	if err := cmp.Or(user.Validate(), ctx.Err()); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()

	var regs []tokens.Registration
	for _, r := range s.live(user, now) {
		if r.Active() {
			regs = append(regs, r.Registration)
		}
	}
	return regs, nil
}
