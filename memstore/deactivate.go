package memstore

import (
	"context"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Deactivate implements [store.Store].
func (s *Store) Deactivate(ctx context.Context, key tokens.Key) error {
	if _, err := s.begin(ctx, key.Validate()); err != nil {
		return err
	}
	defer s.mu.Unlock()

	if r := s.find(key); r != nil && r.Active() {
		r.Status = tokens.LoggedOut
	}
	return nil
}

// Invalidate implements [store.Store].
func (s *Store) Invalidate(ctx context.Context, key tokens.Key, t tokens.Token, sentAt time.Time) error {
	if _, err := s.begin(ctx, store.ValidateInvalidation(key, t, sentAt)); err != nil {
		return err
	}
	defer s.mu.Unlock()

	r := s.find(key)
	if r != nil && r.Active() && r.Token.Equal(t) && !r.UpdatedAt.Add(store.ClockSkew).After(sentAt) {
		r.Status = tokens.DeviceNotRegistered
	}
	return nil
}
