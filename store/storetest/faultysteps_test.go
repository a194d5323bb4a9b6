package storetest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// registerInSteps registers in several atomic steps if the store has such a fault.
// Other calls come between them.
func (s *faulty) registerInSteps(req tokens.Request, now time.Time) (result store.Result, done bool) {
	k := s.id(req.Key)
	old, stored := s.rows[k]
	live := stored && !s.expired(old, now)
	refresh := live && s.same(old.Token, req.Token)
	previous := s.previous(req)

	switch {
	case s.has("has no row locks", "Pairs/All", "Pairs/RefreshAndTakeOver", "Pairs/RefreshAndDelete"), s.has("excludes other calls in its process only", "Handles/Pairs"):
		if s.has("excludes other calls in its process only") {
			s.busy = s
			defer func() { s.busy = nil }()
		}
		s.gap()
		if previous != nil {
			s.take(req, previous, live, now, &result)
			s.gap()
		}
		result.Registration = s.written(req, old, live, stored, now)
		if !live {
			s.makeRoom(req.Key, now, &result)
			s.gap()
		}
		s.put(result.Registration)
		result.Outcome = outcome(live, refresh)

	case refresh && s.has("refreshes what it read without looking again", "Pairs/RefreshAndTakeOver", "Pairs/RefreshAndDelete", "Pairs/RegisterAndDeleteUser"):
		s.gap()
		result = store.Result{Registration: s.written(req, old, true, true, now), Outcome: store.Refreshed}
		s.put(result.Registration)

	case live && !refresh && s.has("replaces a row that may be gone", "Pairs/ReplaceAndTakeOver"):
		s.take(req, previous, live, now, &result)
		s.gap()
		result.Registration, result.Outcome = s.written(req, old, true, true, now), store.Replaced
		if _, still := s.rows[k]; still {
			s.put(result.Registration)
		}

	case previous != nil && s.has("deletes the previous holder by key", "Pairs/ReplaceAndTakeOver"):
		s.gap()
		s.erase(previous.Key)
		result = s.registerWhole(req, now)

	case previous != nil && s.has("names the loser that it read before", "Pairs/TakeOverAndTakeOver"):
		var told store.Result
		s.gap()
		current, stored := s.rows[s.id(previous.Key)]
		result = s.registerWhole(req, now)
		s.rows.set(s.id(previous.Key), *previous)
		s.take(req, previous, live, now, &told)
		if stored && !s.same(current.Token, req.Token) {
			s.put(current)
		}
		result.MovedFrom = told.MovedFrom

	case s.has("returns the outcome that it read before", "Pairs/CreateAndCreate", "Pairs/RefreshAndDelete"):
		s.gap()
		result = s.registerWhole(req, now)
		result.Outcome = outcome(live, refresh)

	case live && s.has("keeps the registeredAt of a row that was erased meanwhile", "Pairs/RefreshAndDelete"):
		s.gap()
		result = s.registerWhole(req, now)
		result.Registration.RegisteredAt = old.RegisteredAt
		s.put(result.Registration)

	case !live && s.has("evicts by key what was registered again", "Pairs/RegisterAndEvict"):
		chosen := s.candidates(req.Key, now)
		slices.SortFunc(chosen, store.EvictionOrder)
		s.gap()
		s.take(req, s.previous(req), false, now, &result)
		for _, r := range chosen[:max(0, len(chosen)+1-s.policy.MaxDevices)] {
			s.erase(r.Key)
			result.Evicted = append(result.Evicted, r.Key)
		}
		result.Registration, result.Outcome = s.written(req, old, false, stored, now), store.Created
		s.put(result.Registration)

	case live && !refresh && s.has("frees the old token after another has taken it", "Pairs/ReplaceAndTakeOver"):
		result = s.registerWhole(req, now)
		delete(s.unindexed, req.Token.Hash())
		s.gap()
		s.unindexed.set(old.Token.Hash(), true)

	default:
		delete(s.unindexed, req.Token.Hash())
		return store.Result{}, false
	}
	return result, true
}

func (s *faulty) registerWhole(req tokens.Request, now time.Time) (result store.Result) {
	old, stored := s.rows[s.id(req.Key)]
	live := stored && !s.expired(old, now)
	s.take(req, s.previous(req), live, now, &result)
	if !live {
		s.makeRoom(req.Key, now, &result)
	}
	result.Registration = s.written(req, old, live, stored, now)
	result.Outcome = outcome(live, live && s.same(old.Token, req.Token))
	s.put(result.Registration)
	return result
}

func outcome(live, refresh bool) store.Outcome {
	switch {
	case refresh:
		return store.Refreshed
	case live:
		return store.Replaced
	}
	return store.Created
}

// deactivateInSteps is for Deactivate what registerInSteps is for Register.
func (s *faulty) deactivateInSteps(k tokens.Key) (done bool) {
	old, stored := s.rows[s.id(k)]
	if !stored || !old.Active() {
		return false
	}
	read := old
	old.Status = tokens.LoggedOut
	switch {
	case s.has("Deactivate writes the row back if the token is unchanged", "Pairs/RefreshAndDeactivate"):
		s.gap()
		if now, still := s.rows[s.id(k)]; still && s.same(now.Token, read.Token) {
			s.put(old)
		}
	case s.has("Deactivate writes the row back if updatedAt is unchanged", "Pairs/OneMoment"):
		s.gap()
		if now, still := s.rows[s.id(k)]; still && now.UpdatedAt.Equal(read.UpdatedAt) {
			s.put(old)
		}
	case s.has("Deactivate stores again what was erased", "Pairs/RefreshAndDelete"):
		s.gap()
		if _, still := s.rows[s.id(k)]; !still || s.unchanged(read) {
			s.put(old)
		}
	case s.has("Deactivate writes back all devices of the user", "Pairs/All"):
		rows := s.of(k.UserID)
		s.gap()
		for _, r := range rows {
			if r.Key == k {
				r = old
			}
			if _, still := s.rows[s.id(r.Key)]; still {
				s.put(r)
			}
		}
	default:
		return false
	}
	return true
}

func (s *faulty) unchanged(read tokens.Registration) bool {
	now, stored := s.rows[s.id(read.Key)]
	return stored == !read.Key.IsZero() && describe(now) == describe(read)
}

// A process is the cache of one handle until its next write.
type process struct {
	lists notes[tokens.UserID, []tokens.Registration]
	got   notes[tokens.Key, tokens.Registration]
	held  notes[tokens.Hash, tokens.Key]
	free  notes[tokens.Hash, bool]
}

func gaveUp(ctx context.Context) error { return fmt.Errorf("%w: %w", store.ErrTryAgain, ctx.Err()) }

// giveUpRegister leaves steps of a Register undone if the context has ended and
// the store has such a fault.
func (s *faulty) giveUpRegister(ctx context.Context, req tokens.Request, now time.Time) (done bool, err error) {
	again := s.gaveUp[req.Key].Equal(req.Token)
	delete(s.gaveUp, req.Key)
	if again && s.has("takes the repeat of a call that it gave up for done", "Ending/Create", "Ending/Replace") {
		return true, nil
	}
	if ctx.Err() == nil {
		return false, nil
	}
	old, stored := s.rows[s.id(req.Key)]
	previous := s.previous(req)
	switch {
	case previous != nil && s.has("gives up after it removed the old owner", "Ending/TakeOver", "Ending/Exchange", "Ending/Reinstall"):
		s.erase(previous.Key)
	case previous != nil && stored && s.has("gives up after it moved the token, with the old one still to free", "Ending/Exchange", "Ending/Reinstall"):
		s.erase(previous.Key)
		old.Token = req.Token
		s.put(old)
	case !stored && s.has("gives up after it evicted", "Ending/Evict"):
		var result store.Result
		s.makeRoom(req.Key, now, &result)
	case stored && s.has("gives up after it removed the row that it replaces", "Ending/Replace"):
		s.erase(req.Key)
	case stored && s.has("gives up after half of a refresh", "Ending/Refresh", "Ending/Reactivate"):
		old.Status, old.Platform = tokens.Active, req.Platform
		s.put(old)
	case !stored && s.has("gives up after it stored the row without its times", "Ending/Create"):
		s.put(tokens.Registration{Key: req.Key, Token: req.Token, Platform: req.Platform, Status: tokens.Active, ExpiresAt: s.policy.Expiry(now)})
	case s.has("takes the repeat of a call that it gave up for done"):
		s.gaveUp.set(req.Key, req.Token)
	case s.has("returns no error for a Register that it gave up", "Ending/Create", "Ending/TakeOver"):
		return true, nil
	case s.has("denies a Register that it applied when the context ended", "Ending/Evict", "Ending/Reactivate"):
		s.registerWhole(req, now)
		return true, ctx.Err()
	default:
		return false, nil
	}
	return true, gaveUp(ctx)
}

func (s *faulty) giveUpDeleteUser(ctx context.Context, rows []tokens.Registration) (done bool, err error) {
	if ctx.Err() == nil || len(rows) == 0 {
		return false, nil
	}
	switch {
	case s.has("DeleteUser returns no error when it gave up", "Ending/DeleteUser"):
		s.erase(rows[0].Key)
		return true, nil
	case s.has("DeleteUser returns the context's error alone when it gave up", "Ending/DeleteUser"):
		s.erase(rows[0].Key)
		return true, ctx.Err()
	case s.has("DeleteUser gives up after it marked a row", "Ending/DeleteUser"):
		s.erase(rows[0].Key)
		rows[len(rows)-1].Status = tokens.Inactive
		s.put(rows[len(rows)-1])
		return true, gaveUp(ctx)
	}
	return false, nil
}
