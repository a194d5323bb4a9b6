package memstore

import (
	"context"

	"github.com/devicetokens/devicetokens/tokens"
)

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, key tokens.Key) error {
	if _, err := s.begin(ctx, key.Validate()); err != nil {
		return err
	}
	defer s.mu.Unlock()

	if r := s.find(key); r != nil {
		s.remove(r)
	}
	return nil
}

// DeleteUser implements [store.Store].
func (s *Store) DeleteUser(ctx context.Context, user tokens.UserID) error {
	if _, err := s.begin(ctx, user.Validate()); err != nil {
		return err
	}
	defer s.mu.Unlock()

	for devices := s.users[user]; len(devices) > 0; devices = s.users[user] {
		s.remove(devices[len(devices)-1].row)
	}
	return nil
}
