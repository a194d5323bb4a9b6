package storetest

import (
	"context"
	"fmt"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

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
