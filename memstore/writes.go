package memstore

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Register implements [store.Store].
func (s *Store) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	if err := cmp.Or(req.Validate(), ctx.Err()); err != nil {
		return store.Result{}, err
	}
	hash := req.Token.Hash()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()

	r := s.find(req.Key)
	if r != nil && r.Expired(now) {
		s.remove(r)
		r = nil
	}
	var result store.Result
	if previous := s.holders[hash]; previous != nil && previous != r {
		if previous.Key.UserID != req.Key.UserID && previous.Active() && !previous.Expired(now) {
			result.MovedFrom = previous.Key
		}
		s.remove(previous)
	}

	updatedAt := now.UTC().Truncate(time.Millisecond)
	switch {
	case r == nil:
		result.Outcome = store.Created
		result.Evicted = s.makeRoom(req.Key.UserID, now)
		r = &row{hash: hash}
		r.Key, r.RegisteredAt = cloneKey(req.Key), updatedAt
		s.insert(r)
	case r.hash == hash:
		result.Outcome = store.Refreshed
	default:
		result.Outcome = store.Replaced
		delete(s.holders, r.hash)
		r.hash = hash
		s.holders[hash] = r
	}
	s.expiry.MoveToBack(r.expiry)
	r.Token, r.Platform, r.ProjectID = req.Token, clone(req.Platform), clone(req.ProjectID)
	r.Status = tokens.Active
	r.UpdatedAt, r.ExpiresAt = updatedAt, s.policy.Expiry(now)

	result.Registration = r.Registration
	return result, nil
}

// clone copies a text that may be part of a larger string, such as a request body,
// so that a row does not keep that in memory. ParseToken copies already.
func clone[T ~string](text T) T { return T(strings.Clone(string(text))) }

func cloneKey(k tokens.Key) tokens.Key {
	return tokens.Key{UserID: clone(k.UserID), DeviceID: clone(k.DeviceID)}
}

// makeRoom makes room for one more row of the user.
func (s *Store) makeRoom(user tokens.UserID, now time.Time) (evicted []tokens.Key) {
	live := s.live(user, now)
	for len(live) >= s.policy.MaxDevices && len(evicted) < store.MaxEvictions {
		first := slices.MinFunc(live, evictionOrder)
		live = slices.DeleteFunc(live, func(r *row) bool { return r == first })
		s.remove(first)
		evicted = append(evicted, first.Key)
	}
	return evicted
}

func evictionOrder(a, b *row) int { return store.EvictionOrder(a.Registration, b.Registration) }

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

// Import implements [store.Importer].
func (s *Store) Import(ctx context.Context, r tokens.Registration) (store.ImportOutcome, error) {
	if err := cmp.Or(store.ValidateImport(r), ctx.Err()); err != nil {
		return "", err
	}
	hash := r.Token.Hash()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()

	own, holder := s.find(r.Key), s.holders[hash]
	if holder == own {
		holder = nil
	}
	stored, outcome := s.policy.PlanImport(r, now, own.registration(), holder.registration())
	switch outcome {
	case store.ImportedStatus:
		own.Status = clone(stored.Status)
	case store.Imported:
		for _, gone := range []*row{own, holder} {
			if gone != nil {
				s.remove(gone)
			}
		}
		stored.Key = cloneKey(stored.Key)
		stored.Platform, stored.ProjectID, stored.Status = clone(stored.Platform), clone(stored.ProjectID), clone(stored.Status)
		s.insert(&row{Registration: stored, hash: hash})
	}
	return outcome, nil
}

func (r *row) registration() *tokens.Registration {
	if r == nil {
		return nil
	}
	return &r.Registration
}
