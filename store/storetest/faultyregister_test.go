package storetest

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func (s *faulty) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	if err := s.begin(ctx, "Register", req.Validate()); err != nil {
		return store.Result{}, err
	}
	defer s.mu.Unlock()
	now := s.policy.Now()

	if done, err := s.giveUpRegister(ctx, req, now); done {
		return store.Result{}, err
	}
	if result, done := s.registerInSteps(req, now); done {
		return result, s.end(ctx, "Register")
	}
	if s.has("counts, then writes") {
		s.counted.set(req.Key, s.candidates(req.Key, now))
		s.gap()
	}
	old, stored := s.rows[s.id(req.Key)]
	previous := s.previous(req)
	if s.has("Register reads, then writes", "Race/OneToken", "Race/Swap", "Pairs/CreateAndCreate") {
		s.gap()
	}

	live, overBroken := stored && !s.expired(old, now), false
	s.known.set(req.Token.Hash(), req.Token)
	if skipped, skip := s.skips(req, old, live, now); skip {
		return skipped, s.end(ctx, "Register")
	}
	if s.broken[s.id(req.Key)] {
		if s.has("Register fails on what cannot be decoded", "Corrupt/Register") {
			return store.Result{}, corrupt(req.Key)
		}
		live = s.has("Register refreshes what cannot be decoded", "Corrupt/Register")
		s.leaveIndexed(s.has("Register leaves the token of what cannot be decoded in its index", "Corrupt/Register"), old)
		delete(s.broken, s.id(req.Key))
		overBroken = true
	}
	if stored && (s.has("refreshes what has expired", "Register/OverExpired", "Limit/OwnExpiredIsNewDevice") || !old.Active() && s.has("refreshes what has expired and is inactive", "Register/OverExpiredAndInactive")) {
		live = true
	}
	if at, erased := s.erasedAt[req.Key]; erased && now.Before(at) && s.has("lets a removal win by its clock", "Clock/RemoveInThePast") {
		return store.Result{Registration: s.written(req, old, live, stored, now), Outcome: store.Created}, nil
	}
	if stored && stamp(now).Before(old.UpdatedAt) && s.has("lets the later clock win", "Handles/OtherClock", "Clock/RefreshInThePast", "Clock/ReplaceInThePast") {
		return store.Result{Registration: old, Outcome: store.Refreshed}, nil
	}
	result := store.Result{Registration: s.written(req, old, live, stored, now), Outcome: store.Created}
	if live {
		result.Outcome = store.Replaced
		if s.same(old.Token, req.Token) {
			result.Outcome = store.Refreshed
		}
		if !old.Active() && s.has("takes a reactivation for a creation", "Register/Reactivates") {
			result.Outcome = store.Created
		}
		if old.UpdatedAt.Equal(stamp(now)) && s.has("takes a repeat for a creation", "Register/Repeated") {
			result.Outcome = store.Created
		}
	}

	if !live && s.has("counts the previous holder", "Limit/Reinstalled") {
		s.makeRoom(req.Key, now, &result)
	}
	s.take(req, previous, live, now, &result)
	if previous != nil && ctx.Err() != nil && s.has("takes the token before it looks at the context again", "Context/RegisterMoving") {
		return store.Result{}, ctx.Err()
	}
	if s.has("writes back all rows that it read", "Race/Strangers") {
		read := maps.Clone(s.rows)
		s.gap()
		s.rows = read
	}
	if result.Outcome == store.Created && result.Evicted == nil && !(overBroken && s.has("makes no room over what cannot be decoded", "Corrupt/Limit")) ||
		s.has("makes room for a refresh") || s.evictsAbove(req.Key.UserID, result.Outcome) {
		s.makeRoom(req.Key, now, &result)
	}
	if result.Evicted == nil && s.has("returns an empty Evicted", "Register/New") {
		result.Evicted = []tokens.Key{}
	}
	s.exact.set(req.Key, now)
	s.put(result.Registration)
	s.lastToken.set(req.Key, req.Token)
	s.hadBefore.set(req.Token.Hash(), req.Key)
	return result, s.end(ctx, "Register")
}

// written returns the row that the request makes of the old one.
func (s *faulty) written(req tokens.Request, old tokens.Registration, live, stored bool, now time.Time) tokens.Registration {
	r := tokens.Registration{
		Key: req.Key, Token: req.Token, Platform: req.Platform, ProjectID: req.ProjectID, Status: tokens.Active,
		RegisteredAt: s.stamp(now), UpdatedAt: s.stamp(now), ExpiresAt: s.expiry(now),
	}
	if seen, ok := s.firstSeen[req.Key]; ok && s.has("remembers registeredAt for ever", "Move/ThereAndBack", "Delete/Erases", "DeleteUser/Erases") {
		r.RegisteredAt = seen
	}
	s.firstSeen.set(req.Key, r.RegisteredAt)
	if stored && !live && s.has("keeps the registeredAt of what has expired", "Register/OverExpired", "Register/OverExpiredAndInactive") {
		r.RegisteredAt = old.RegisteredAt
	}
	if !live {
		return r
	}
	refresh := s.same(old.Token, req.Token)
	if !(refresh && s.has("overwrites registeredAt on refresh", "Register/Refresh", "Expiry/RegisterBeforeIt") || !refresh && s.has("overwrites registeredAt on replacement", "Register/Replace")) {
		r.RegisteredAt = old.RegisteredAt
	}
	if project := old.ProjectID != req.ProjectID; project && s.has("overwrites registeredAt when the project changes", "Register/ProjectIDChanged", "Clock/RefreshSoon") ||
		project && !refresh && s.has("overwrites registeredAt when token and project change", "Register/ProjectIDChanged") {
		r.RegisteredAt = s.stamp(now)
	}
	if !refresh && s.has("keeps the project on replacement", "Register/ProjectIDChanged") || refresh && s.has("keeps the project on refresh", "Register/ProjectIDChanged", "Clock/RefreshSoon") ||
		refresh && s.fold(string(old.ProjectID), inProjects) == s.fold(string(req.ProjectID), inProjects) {
		r.ProjectID = old.ProjectID
	}
	if !refresh && s.has("keeps the platform on replacement", "Register/PlatformChanged") {
		r.Platform = old.Platform
	}
	if refresh && s.has("keeps the old updatedAt", "Register/Refresh", "Invalidate/RegisteredAgain", "Eviction/OldestUpdate") {
		r.UpdatedAt = old.UpdatedAt
	}
	if refresh && s.has("keeps the old expiry on refresh", "Expiry/RefreshProlongs", "Register/Refresh") || !refresh && s.has("keeps the old expiry on replacement", "Expiry/ReplaceProlongs", "Register/Replace") {
		r.ExpiresAt = old.ExpiresAt
	}
	if refresh && s.has("keeps the old status on refresh", "Register/Reactivates") || !refresh && s.has("keeps the old status on replacement", "Register/Reactivates") {
		r.Status = old.Status
	}
	if r.ProjectID == "" && s.has("keeps a project that the request does not name", "Register/ProjectIDChanged") {
		r.ProjectID = old.ProjectID
	}
	if s.has("keeps the old platform", "Register/PlatformChanged") {
		r.Platform = old.Platform
	}
	if refresh && s.has("keeps the first spelling", "Register/Respelled") {
		r.Token = old.Token
	}
	return r
}

// previous returns the row that loses the token to the request, or nil.
func (s *faulty) previous(req tokens.Request) *tokens.Registration {
	if k, left := s.indexed[req.Token.Hash()]; left && k != s.id(req.Key) {
		if r, stored := s.rows[k]; stored {
			return &r
		}
	}
	for _, r := range s.where(func(r tokens.Registration) bool { return s.same(r.Token, req.Token) && r.Key != req.Key }) {
		return &r
	}
	return nil
}

// take removes the previous holder and sets MovedFrom.
func (s *faulty) take(req tokens.Request, p *tokens.Registration, onto bool, now time.Time, result *store.Result) {
	if p == nil {
		if s.has("tells of a move with each refresh", "Move/ToldOnce") {
			result.MovedFrom = s.movedFrom[req.Key]
		}
		return
	}
	own, expired := p.Key.UserID == req.Key.UserID, s.expired(*p, now)
	if (!own || s.has("tells a user of their own device", "Move/Reinstalled", "Move/ReinstalledOntoARegistration")) &&
		(p.Active() || s.has("tells of an inactive registration", "Move/FromInactive")) &&
		(!expired || s.has("tells of an expired registration", "Move/FromExpired")) &&
		!s.broken[s.id(p.Key)] &&
		!(s.rows[s.id(req.Key)].Status == tokens.LoggedOut && s.has("tells of no move to a device that was logged out", "Sequence/LikeMemstore")) &&
		!s.has("tells of no move", "Move/ToAnotherUser", "Move/OntoARegistration", "Move/ThereAndBack") {
		result.MovedFrom = p.Key
		s.movedFrom.set(req.Key, p.Key)
	}
	switch {
	case s.has("leaves the token with its old owner too", "Move/ToAnotherUser", "Move/ThereAndBack"):
	case p.ProjectID != req.ProjectID && p.ProjectID != "" && req.ProjectID != "" && s.has("leaves the token with its owner in another project", "Move/ToAnotherUser"):
	case expired && s.has("leaves the token with its expired owner too", "Move/FromExpired"):
	case own && expired && s.has("leaves the token with the user's own expired device too", "Clock/OwnExpiredHolder"):
	case s.broken[s.id(p.Key)] && s.has("leaves the token with what cannot be decoded too", "Corrupt/Move"):
	case !p.Active() && s.has("leaves the token with its inactive owner too", "Move/FromInactive"):
	case onto && s.has("leaves the token with its old owner if the new one had another", "Move/OntoARegistration"):
	case own && s.has("leaves a reinstalled phone in the list twice", "Move/Reinstalled"):
	case own && onto && s.has("leaves a reinstalled phone in the list twice if it was known", "Move/ReinstalledOntoARegistration"):
	case stamp(now).Before(p.UpdatedAt) && s.has("leaves the token with its old owner if that registered later", "Clock/MoveInThePast"):
	case s.has("deactivates the old owner", "Move/ToAnotherUser"):
		p.Status = tokens.LoggedOut
		s.put(*p)
	case s.has("removes all devices of the old owner", "Move/ToAnotherUser"):
		for _, r := range s.of(p.Key.UserID) {
			s.erase(r.Key)
		}
	default:
		s.erase(p.Key)
	}
}

func stamp(now time.Time) time.Time { return now.UTC().Truncate(time.Millisecond) }

func (s *faulty) stamp(now time.Time) time.Time {
	switch {
	case s.has("keeps nanoseconds", "Register/New", "Clock/Truncated"):
		return now.UTC()
	case s.has("rounds to the nearest millisecond", "Clock/Truncated"):
		return now.UTC().Round(time.Millisecond)
	case s.has("keeps whole seconds only", "Clock/Truncated"):
		return now.UTC().Truncate(time.Second)
	case s.has("keeps the clock's zone", "Register/New", "Clock/Truncated"):
		return now.Truncate(time.Millisecond)
	}
	return stamp(now)
}

func (s *faulty) expiry(now time.Time) time.Time {
	switch {
	case s.has("expires by the millisecond", "Expiry/Boundary", "Clock/Truncated"):
		return stamp(now).Add(s.policy.TTL)
	case s.has("rounds the expiry up", "Expiry/Boundary", "Clock/Truncated"):
		return s.policy.Expiry(now).Add(time.Second)
	case s.has("rounds the expiry to the nearest second", "Clock/Truncated"):
		return now.Add(s.policy.TTL).UTC().Round(time.Second)
	}
	return s.policy.Expiry(now)
}

// soon has times within which a store may skip a refresh.
var soon = map[string]time.Duration{
	"a second": time.Second, "half a minute": 30 * time.Second, "an hour": time.Hour, "a day": 24 * time.Hour,
	"a third of the TTL": store.DefaultTTL / 3,
}

// skips reports whether the store skips the refresh, and returns its result.
func (s *faulty) skips(req tokens.Request, old tokens.Registration, live bool, now time.Time) (store.Result, bool) {
	what, within, about := strings.Cut(s.fault, " within ")
	if !about || !live || !s.same(old.Token, req.Token) || now.Sub(old.UpdatedAt) > soon[within] {
		return store.Result{}, false
	}
	answer := store.Result{Registration: old, Outcome: store.Refreshed}
	switch unchanged := old.Active() && old.Platform == req.Platform && old.ProjectID == req.ProjectID; what {
	case "skips a refresh":
		return answer, true
	case "skips a refresh that changes nothing":
		return answer, unchanged
	case "answers a refresh that changes nothing, and skips it":
		answer.Registration = s.written(req, old, true, true, now)
		return answer, unchanged
	case "skips a refresh that changes the project":
		return answer, old.ProjectID != req.ProjectID
	case "skips a refresh of what is logged out":
		return answer, !old.Active()
	}
	return store.Result{}, false
}

func brokenSoon() (all []broken) {
	for within := range soon {
		for _, what := range []string{
			"skips a refresh", "skips a refresh that changes nothing", "answers a refresh that changes nothing, and skips it",
			"skips a refresh that changes the project", "skips a refresh of what is logged out",
		} {
			all = append(all, broken{what + " within " + within, []string{"Clock/RefreshSoon"}})
		}
	}
	return all
}
