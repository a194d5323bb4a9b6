package storetest

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func (s *faulty) Deactivate(ctx context.Context, k tokens.Key) error {
	if err := s.begin(ctx, "Deactivate", k.Validate()); err != nil {
		return err
	}
	defer s.mu.Unlock()
	now := s.policy.Now()
	if s.giveUpRewrite(ctx, k, "Deactivate gives up after it erased the row to write it again") {
		return gaveUp(ctx)
	}
	if s.deactivateInSteps(k) {
		return s.end(ctx, "Deactivate")
	}
	r, stored := s.rows[s.id(k)]
	if s.broken[s.id(k)] && s.has("Deactivate fails on what cannot be decoded") {
		return &store.CorruptError{Key: k, Err: errBroken}
	}
	if s.has("Deactivate writes back what it read") {
		s.gap()
	}
	switch {
	case !stored && s.has("Deactivate hits whoever has the token by now"):
		for _, r = range s.all() {
			if r.Token.Equal(s.lastToken[k]) {
				stored = true
				break
			}
		}
	case !stored && s.has("Deactivate of nothing is an error"):
		return store.ErrNotFound
	case !stored && s.has("Deactivate of nothing stores something"):
		r, stored = tokens.Registration{Key: k, Token: token(999), Status: tokens.LoggedOut}, true
		s.put(r)
	case stored && s.expired(r, now) && s.has("Deactivate leaves alone what has expired"),
		stored && r.UpdatedAt.After(now) && s.has("Deactivate leaves alone what registered later"):
		stored = false
	case s.broken[s.id(k)] && s.has("Deactivate erases what cannot be decoded"):
		s.erase(k)
		stored = false
	}
	if !stored || !r.Active() && !s.has("Deactivate overwrites the reason") &&
		!(r.Status == tokens.Inactive && s.has("Deactivate gives a reason where none is known")) {
		return s.end(ctx, "Deactivate")
	}
	r.Status = tokens.LoggedOut
	if s.has("Deactivate sets updatedAt") {
		r.UpdatedAt = stamp(now)
	}
	if s.has("Deactivate prolongs") {
		r.ExpiresAt = s.policy.Expiry(now)
	}
	s.put(r)
	if s.has("Deactivate erases") {
		s.erase(k)
	}
	for _, other := range s.all() {
		if other.Key.UserID == k.UserID && s.has("Deactivate logs the user out everywhere") ||
			other.Key.DeviceID == k.DeviceID && s.has("Deactivate logs out everyone on the device") {
			other.Status = tokens.LoggedOut
			s.put(other)
		}
	}
	return s.end(ctx, "Deactivate")
}

func (s *faulty) Invalidate(ctx context.Context, k tokens.Key, h tokens.Hash, sentAt time.Time) error {
	if err := s.begin(ctx, "Invalidate", store.ValidateInvalidation(k, h, sentAt)); err != nil {
		return err
	}
	defer s.mu.Unlock()
	now := s.policy.Now()
	r, stored := s.rows[s.id(k)]
	if s.giveUpRewrite(ctx, k, "Invalidate gives up after it erased the row to write it again") {
		return gaveUp(ctx)
	}
	if stored && s.has("Invalidate marks by key what it checked before") {
		before := r
		s.gap()
		if r, stored = s.rows[s.id(k)]; stored && s.hashes(before.Token, h) && !s.tooNew(before, sentAt, now) && r.Active() {
			r.Status = tokens.DeviceNotRegistered
			s.put(r)
		}
		return s.end(ctx, "Invalidate")
	}
	if s.has("Invalidate writes back what it read") {
		s.gap()
	}
	for _, other := range s.all() {
		if s.hashes(other.Token, h) && s.has("Invalidate hits whoever has the token by now") {
			r, stored = other, true
		}
	}
	if s.broken[s.id(k)] {
		if s.has("Invalidate fails on what cannot be decoded") {
			return &store.CorruptError{Key: k, Err: errBroken}
		}
		if s.has("Invalidate erases what cannot be decoded") {
			s.erase(k)
		}
		stored = false
	}
	if !stored && s.has("Invalidate of nothing is an error") {
		return store.ErrNotFound
	}
	if !stored || s.expired(r, now) && s.has("Invalidate leaves alone what has expired") ||
		!s.hashes(r.Token, h) && !s.has("Invalidate ignores the token") ||
		!usual(r.Token) && s.has("Invalidate knows one spelling") ||
		!r.Active() && !s.has("Invalidate overwrites the reason") &&
			!(r.Status == tokens.Inactive && s.has("Invalidate gives a reason where none is known")) ||
		s.tooNew(r, sentAt, now) {
		return s.end(ctx, "Invalidate")
	}
	r.Status = tokens.DeviceNotRegistered
	if s.has("Invalidate gives the wrong reason") {
		r.Status = tokens.Inactive
	}
	if s.has("Invalidate prolongs") {
		r.ExpiresAt = s.policy.Expiry(now)
	}
	s.put(r)
	if s.has("Invalidate erases") {
		s.erase(r.Key)
	}
	for _, other := range s.of(k.UserID) {
		if s.has("Invalidate marks all devices of the user") {
			other.Status = tokens.DeviceNotRegistered
			s.put(other)
		}
	}
	return s.end(ctx, "Invalidate")
}

// tooNew reports whether the registration may be newer than the message.
func (s *faulty) tooNew(r tokens.Registration, sentAt, now time.Time) bool {
	boundary := r.UpdatedAt.Add(store.ClockSkew)
	switch {
	case r.UpdatedAt.IsZero():
		return s.has("Invalidate spares what has no updatedAt")
	case s.has("Invalidate ignores sentAt"):
		return false
	case s.has("Invalidate goes by the server's clock"):
		sentAt = now
	case s.has("Invalidate bears no clock skew"):
		boundary = r.UpdatedAt
	case s.has("Invalidate goes by registeredAt"):
		boundary = r.RegisteredAt.Add(store.ClockSkew)
	case s.has("Invalidate is a millisecond early"):
		boundary = boundary.Add(-time.Millisecond)
	case s.has("Invalidate is a millisecond late"):
		boundary = boundary.Add(time.Millisecond)
	}
	return boundary.After(sentAt)
}

func (s *faulty) Delete(ctx context.Context, k tokens.Key) error {
	if err := s.begin(ctx, "Delete", k.Validate()); err != nil {
		return err
	}
	defer s.mu.Unlock()
	now := s.policy.Now()
	r, stored := s.rows[s.id(k)]
	if stored && ctx.Err() != nil && s.has("Delete gives up after it marked the row") {
		r.Status = tokens.LoggedOut
		s.put(r)
		return gaveUp(ctx)
	}
	if s.has("Delete gives up on a row that changed") {
		s.gap()
		if !s.unchanged(r) {
			return s.end(ctx, "Delete")
		}
	}
	switch {
	case !stored && s.has("Delete of nothing is an error"):
		return store.ErrNotFound
	case stored && s.expired(r, now) && s.has("Delete refuses what has expired"):
		return store.ErrNotFound
	case stored && !r.Active() && s.has("Delete leaves what is inactive"),
		stored && r.UpdatedAt.After(now) && s.has("Delete leaves what registered later"),
		s.broken[s.id(k)] && s.has("Delete leaves what cannot be decoded"):
		return s.end(ctx, "Delete")
	case stored && s.has("Delete only marks"):
		r.Status = tokens.LoggedOut
		s.put(r)
		return s.end(ctx, "Delete")
	}
	if s.has("Delete takes the token's later registration with it") {
		s.gap()
		s.eraseHolder(r.Token)
	}
	if s.has("Delete hits whoever has the token by now") {
		s.eraseHolder(s.lastToken[k])
	}
	s.erase(k)
	s.erasedAt[k] = now
	s.leaveIndexed("Delete leaves the token in its index", r)
	for _, other := range s.all() {
		if other.Key.UserID == k.UserID && s.has("Delete erases the user") ||
			other.Key.DeviceID == k.DeviceID && s.has("Delete erases the device of every user") {
			s.erase(other.Key)
		}
	}
	return s.end(ctx, "Delete")
}

func (s *faulty) DeleteUser(ctx context.Context, user tokens.UserID) error {
	if err := s.begin(ctx, "DeleteUser", user.Validate()); err != nil {
		return err
	}
	defer s.mu.Unlock()
	now := s.policy.Now()
	rows := s.of(user)
	if len(rows) == 0 && s.has("DeleteUser of nobody is an error") {
		return store.ErrNotFound
	}
	for k, t := range s.lastToken {
		if k.UserID == user && s.has("DeleteUser hits whoever has the tokens by now") {
			s.eraseHolder(t)
		}
	}
	if s.has("DeleteUser takes the tokens' later registrations with it") {
		s.gap()
		for _, r := range rows {
			s.eraseHolder(r.Token)
		}
	}
	if done, err := s.giveUpDeleteUser(ctx, rows); done {
		return err
	}
	if s.has("DeleteUser gives up on rows that changed") {
		s.gap()
		rows = slices.DeleteFunc(rows, func(r tokens.Registration) bool { return !s.unchanged(r) })
	}
	for i, r := range rows {
		if !r.Active() && s.has("DeleteUser leaves what is inactive") ||
			s.broken[s.id(r.Key)] && s.has("DeleteUser leaves what cannot be decoded") ||
			s.expired(r, now) && s.has("DeleteUser leaves what has expired") ||
			r.UpdatedAt.After(now) && s.has("DeleteUser leaves what registered later") ||
			i >= s.policy.MaxDevices && s.has("DeleteUser erases as many as the limit allows") ||
			i >= 100 && s.has("DeleteUser erases one page") || i >= 500 && s.has("DeleteUser erases 500") {
			continue
		}
		s.erase(r.Key)
		s.leaveIndexed("DeleteUser leaves the tokens in its index", r)
		if s.has("DeleteUser only marks") {
			r.Status = tokens.LoggedOut
			s.put(r)
		}
	}
	for _, r := range s.all() {
		if strings.HasPrefix(string(r.Key.UserID), string(user)) && s.has("DeleteUser takes a user for a prefix") ||
			matches(user, r.Key.UserID) && s.has("DeleteUser takes a user for a pattern") {
			s.erase(r.Key)
		}
	}
	return s.end(ctx, "DeleteUser")
}

// leaveIndexed keeps the row's token in an index, if the store has the fault.
func (s *faulty) leaveIndexed(fault string, r tokens.Registration) {
	if s.has(fault) && !r.Key.IsZero() {
		s.indexed[r.Token.Hash()] = s.id(r.Key)
	}
}

// matches reports whether the user is like the pattern, as SQL and Redis take one.
func matches(pattern, user tokens.UserID) bool {
	before, _, found := strings.Cut(strings.NewReplacer("%", "*", "_", "*").Replace(string(pattern)), "*")
	return found && strings.HasPrefix(string(user), before)
}

func (s *faulty) eraseHolder(t tokens.Token) {
	for _, r := range s.all() {
		if r.Token.Equal(t) {
			s.erase(r.Key)
		}
	}
}

var brokenRemovals = []broken{
	{"Deactivate of nothing is an error", []string{"Deactivate/Absent"}},
	{"Deactivate of nothing stores something", []string{"Deactivate/Absent"}},
	{"Deactivate erases", []string{"Deactivate/Marks"}},
	{"Deactivate sets updatedAt", []string{"Deactivate/Marks", "Eviction/OldestUpdateOfInactive"}},
	{"Deactivate prolongs", []string{"Deactivate/Marks", "Expiry/OnlyRegisterProlongs"}},
	{"Deactivate overwrites the reason", []string{"Deactivate/KeepsTheReason"}},
	{"Deactivate logs the user out everywhere", []string{"Deactivate/OnlyTheDevice"}},
	{"Deactivate logs out everyone on the device", []string{"Deactivate/OnlyTheDevice"}},
	{"Deactivate hits whoever has the token by now", []string{"Deactivate/Late"}},
	{"Deactivate leaves alone what has expired", []string{"Deactivate/Expired"}},
	{"Deactivate leaves alone what registered later", []string{"Clock/RemoveInThePast"}},
	{"Deactivate writes back what it read", []string{"Race/DeactivateAndMove", "Race/DeactivateAndReplace"}},

	{"Invalidate of nothing is an error", []string{"Invalidate/Absent"}},
	{"Invalidate erases", []string{"Invalidate/Marks"}},
	{"Invalidate gives the wrong reason", []string{"Invalidate/Marks"}},
	{"Invalidate prolongs", []string{"Invalidate/Marks", "Expiry/OnlyRegisterProlongs"}},
	{"Invalidate overwrites the reason", []string{"Invalidate/KeepsTheReason"}},
	{"Invalidate ignores the token", []string{"Invalidate/Replaced"}},
	{"Invalidate knows one spelling", []string{"Invalidate/Respelled"}},
	{"Invalidate ignores sentAt", []string{"Invalidate/ClockSkew", "Invalidate/RegisteredAgain", "Invalidate/Late"}},
	{"Invalidate goes by the server's clock", []string{"Invalidate/SentAtAlone"}},
	{"Invalidate bears no clock skew", []string{"Invalidate/ClockSkew"}},
	{"Invalidate is a millisecond early", []string{"Invalidate/ClockSkew"}},
	{"Invalidate is a millisecond late", []string{"Invalidate/ClockSkew"}},
	{"Invalidate goes by registeredAt", []string{"Invalidate/RegisteredAgain"}},
	{"Invalidate hits whoever has the token by now", []string{"Invalidate/Late"}},
	{"Invalidate marks all devices of the user", []string{"Invalidate/OnlyTheDevice"}},
	{"Invalidate leaves alone what has expired", []string{"Invalidate/Expired"}},
	{"Invalidate writes back what it read", []string{"Race/InvalidateAndRefresh", "Race/InvalidateAndReplace"}},

	{"Delete of nothing is an error", []string{"Delete/Absent"}},
	{"Delete only marks", []string{"Delete/Erases"}},
	{"Delete leaves what is inactive", []string{"Delete/Erases"}},
	{"Delete refuses what has expired", []string{"Delete/Expired"}},
	{"Delete leaves what registered later", []string{"Clock/RemoveInThePast"}},
	{"Delete leaves the token in its index", []string{"Delete/Erases"}},
	{"Delete erases the user", []string{"Delete/OnlyTheDevice"}},
	{"Delete erases the device of every user", []string{"Delete/OnlyTheDevice"}},
	{"Delete hits whoever has the token by now", []string{"Delete/Late"}},
	{"Delete takes the token's later registration with it", []string{"Race/DeleteAndMove"}},

	{"DeleteUser of nobody is an error", []string{"DeleteUser/Absent"}},
	{"DeleteUser only marks", []string{"DeleteUser/Erases"}},
	{"DeleteUser leaves what is inactive", []string{"DeleteUser/Erases"}},
	{"DeleteUser leaves what has expired", []string{"DeleteUser/Expired"}},
	{"DeleteUser leaves what registered later", []string{"Clock/RemoveInThePast"}},
	{"DeleteUser leaves the tokens in its index", []string{"DeleteUser/Erases"}},
	{"DeleteUser erases as many as the limit allows", []string{"Limit/RefreshAboveIt"}},
	{"DeleteUser takes a user for a pattern", []string{"DeleteUser/OnlyTheUser"}},
	{"DeleteUser erases one page", []string{"DeleteUser/Many"}},
	{"DeleteUser erases 500", []string{"Sizes/MostDevices"}},
	{"DeleteUser takes a user for a prefix", []string{"DeleteUser/OnlyTheUser"}},
	{"DeleteUser hits whoever has the tokens by now", []string{"DeleteUser/Late"}},
	{"DeleteUser takes the tokens' later registrations with it", []string{"Race/DeleteUserAndMove"}},
}
