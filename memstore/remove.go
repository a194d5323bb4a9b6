package memstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Deactivate implements [store.Store].
func (s *Store) Deactivate(ctx context.Context, key tokens.Key) error {
	if err := cmp.Or(key.Validate(), ctx.Err()); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now()

	if r := s.find(key); r != nil && r.Active() {
		r.Status = tokens.LoggedOut
	}
	return nil
}

// Invalidate implements [store.Store].
func (s *Store) Invalidate(ctx context.Context, key tokens.Key, h tokens.Hash, sentAt time.Time) error {
	if err := cmp.Or(store.ValidateInvalidation(key, h, sentAt), ctx.Err()); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now()

	r := s.find(key)
	if r != nil && r.Active() && r.hash == h && (r.UpdatedAt.IsZero() || !r.UpdatedAt.Add(store.ClockSkew).After(sentAt)) {
		r.Status = tokens.DeviceNotRegistered
	}
	return nil
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, key tokens.Key) error {
	if err := cmp.Or(key.Validate(), ctx.Err()); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now()

	if r := s.find(key); r != nil {
		s.remove(r)
	}
	return nil
}

// DeleteUser implements [store.Store].
func (s *Store) DeleteUser(ctx context.Context, user tokens.UserID) error {
	if err := cmp.Or(user.Validate(), ctx.Err()); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now()

	for _, r := range slices.Clone(s.users[user]) {
		s.remove(r)
	}
	return nil
}
