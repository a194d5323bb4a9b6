package memstore

import (
	"context"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Register implements [store.Store].
func (s *Store) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	hash := req.Token.Hash()
	now, err := s.begin(ctx, req.Validate())
	if err != nil {
		return store.Result{}, err
	}
	defer s.mu.Unlock()

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
		s.unlink(previous) // its token is about to be r's
	}

	updatedAt := now.UTC().Truncate(time.Millisecond)
	switch {
	case r == nil:
		result.Outcome = store.Created
		result.Evicted = s.makeRoom(req.Key.UserID, now)
		r = &row{hash: hash}
		r.Key, r.RegisteredAt = req.Key, updatedAt
		s.insert(r)
	case r.hash == hash:
		result.Outcome = store.Refreshed
		s.expiry.unlink(r)
		s.expiry.push(r)
	default:
		result.Outcome = store.Replaced
		delete(s.holders, r.hash)
		r.hash = hash
		s.holders[hash] = r
		s.expiry.unlink(r)
		s.expiry.push(r)
	}
	r.Token, r.Platform, r.ProjectID = req.Token, req.Platform, req.ProjectID
	r.Status = tokens.Active
	r.UpdatedAt, r.ExpiresAt = updatedAt, s.policy.Expiry(now)

	result.Registration = r.Registration
	return result, nil
}
