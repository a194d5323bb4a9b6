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

// makeRoom removes the user's rows that exceed the device limit when one more is
// added, and returns their keys.
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
