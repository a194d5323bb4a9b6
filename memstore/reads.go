package memstore

import (
	"cmp"
	"context"
	"slices"

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

var _ interface {
	store.Inspector
	store.Walker
	store.Importer
} = (*Store)(nil)

// Inspect implements [store.Inspector].
func (s *Store) Inspect(ctx context.Context, user tokens.UserID) ([]store.Record, error) {
	if err := cmp.Or(user.Validate(), ctx.Err()); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now()

	var records []store.Record
	for _, r := range s.users[user] {
		records = append(records, record(r))
	}
	return records, nil
}

func record(r *row) store.Record { return store.Record{Key: r.Key, Registration: r.Registration} }

// Segments implements [store.Walker]. It sorts the ids of all users.
func (s *Store) Segments(ctx context.Context, n int) ([]store.Cursor, error) {
	if err := cmp.Or(store.ValidatePage(n), ctx.Err()); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()

	users := s.usersIn(store.KeyRange{}, len(s.users))
	n = max(1, min(n, len(users)))
	cursors := make([]store.Cursor, n)
	var segment store.KeyRange
	for i := range cursors {
		if segment.Until = ""; i+1 < n {
			segment.Until = users[(i+1)*len(users)/n]
		}
		cursors[i] = segment.Cursor()
		segment.After.UserID = segment.Until
	}
	return cursors, nil
}

// Page implements [store.Walker]. Its time is proportional to the number of users
// in the store, because it reads all their ids.
func (s *Store) Page(ctx context.Context, from store.Cursor, limit int) ([]store.Record, store.Cursor, error) {
	left, err := store.ParseCursor(from)
	if err := cmp.Or(tokens.JoinInvalid(err, store.ValidatePage(limit)), ctx.Err()); err != nil {
		return nil, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now()

	var records []store.Record
	for _, user := range s.usersIn(left, limit) {
		for _, r := range s.users[user] {
			if left.Contains(r.Key) && len(records) < limit {
				records = append(records, record(r))
			}
		}
	}
	if len(records) < limit {
		return records, "", nil
	}
	left.After = records[limit-1].Key
	return records, left.Cursor(), nil
}

// usersIn returns at most n users with rows in the range, the first in order.
func (s *Store) usersIn(k store.KeyRange, n int) []tokens.UserID {
	var users []tokens.UserID
	for user, rows := range s.users {
		if !k.Contains(rows[len(rows)-1].Key) {
			continue
		}
		if users = append(users, user); len(users)/2 > n {
			slices.Sort(users)
			users = users[:n]
		}
	}
	slices.Sort(users)
	return users[:min(n, len(users))]
}
