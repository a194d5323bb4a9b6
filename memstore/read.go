package memstore

import (
	"context"
	"slices"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, key tokens.Key) (tokens.Registration, error) {
	now, err := s.begin(ctx, key.Validate())
	if err != nil {
		return tokens.Registration{}, err
	}
	defer s.mu.Unlock()

	r := s.find(key)
	if r == nil || r.Expired(now) {
		return tokens.Registration{}, store.ErrNotFound
	}
	return r.Registration, nil
}

// Holder implements [store.Store].
func (s *Store) Holder(ctx context.Context, t tokens.Token) (tokens.Registration, error) {
	hash := t.Hash()
	now, err := s.begin(ctx, t.Validate())
	if err != nil {
		return tokens.Registration{}, err
	}
	defer s.mu.Unlock()

	r := s.holders[hash]
	if r == nil || r.Expired(now) {
		return tokens.Registration{}, store.ErrNotFound
	}
	return r.Registration, nil
}

// List implements [store.Store].
func (s *Store) List(ctx context.Context, user tokens.UserID) ([]tokens.Registration, error) {
	now, err := s.begin(ctx, user.Validate())
	if err != nil {
		return nil, err
	}
	defer s.mu.Unlock()

	regs := slices.Grow([]tokens.Registration(nil), len(s.users[user]))
	for r := range s.live(user, now) {
		if r.Active() {
			regs = append(regs, r.Registration)
		}
	}
	return regs, nil
}
