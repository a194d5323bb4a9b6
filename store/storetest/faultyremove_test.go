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
	if s.giveUpRewrite(ctx, k, s.has("Deactivate gives up after it erased the row to write it again", "Ending/Deactivate")) {
		return gaveUp(ctx)
	}
	if s.deactivateInSteps(k) {
		return s.end(ctx, "Deactivate")
	}
	r, stored := s.rows[s.id(k)]
	if s.broken[s.id(k)] && s.has("Deactivate fails on what cannot be decoded", "Corrupt/Deactivate") {
		return &store.CorruptError{Key: k, Err: errBroken}
	}
	if s.has("Deactivate writes back what it read", "Pairs/RefreshAndDeactivate") {
		s.gap()
	}
	switch {
	case !stored && s.has("Deactivate hits whoever has the token by now", "Deactivate/Late"):
		for _, r = range s.all() {
			if r.Token.Equal(s.lastToken[k]) {
				stored = true
				break
			}
		}
	case !stored && s.has("Deactivate of nothing is an error", "Deactivate/Absent"):
		return store.ErrNotFound
	case !stored && s.has("Deactivate of nothing stores something", "Deactivate/Absent"):
		r, stored = tokens.Registration{Key: k, Token: token(999), Status: tokens.LoggedOut}, true
		s.put(r)
	case stored && s.expired(r, now) && s.has("Deactivate leaves alone what has expired", "Deactivate/Expired"),
		stored && r.UpdatedAt.After(now) && s.has("Deactivate leaves alone what registered later", "Clock/RemoveInThePast"):
		stored = false
	case s.broken[s.id(k)] && s.has("Deactivate erases what cannot be decoded", "Corrupt/Deactivate"):
		s.erase(k)
		stored = false
	}
	if !stored || !r.Active() && !s.has("Deactivate overwrites the reason", "Deactivate/KeepsTheReason") &&
		!(r.Status == tokens.Inactive && s.has("Deactivate gives a reason where none is known", "Import/NoReasonKnown")) {
		return s.end(ctx, "Deactivate")
	}
	r.Status = tokens.LoggedOut
	if s.has("Deactivate sets updatedAt", "Deactivate/Marks", "Eviction/OldestUpdateOfInactive") {
		r.UpdatedAt = stamp(now)
	}
	if s.has("Deactivate prolongs", "Deactivate/Marks", "Expiry/OnlyRegisterProlongs") {
		r.ExpiresAt = s.policy.Expiry(now)
	}
	s.put(r)
	if s.has("Deactivate erases", "Deactivate/Marks") {
		s.erase(k)
	}
	for _, other := range s.all() {
		if other.Key.UserID == k.UserID && s.has("Deactivate logs the user out everywhere", "Deactivate/OnlyTheDevice") ||
			other.Key.DeviceID == k.DeviceID && s.has("Deactivate logs out everyone on the device", "Deactivate/OnlyTheDevice") {
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
	if s.giveUpRewrite(ctx, k, s.has("Invalidate gives up after it erased the row to write it again", "Ending/Invalidate")) {
		return gaveUp(ctx)
	}
	if stored && s.has("Invalidate marks by key what it checked before", "Pairs/RefreshAndInvalidate") {
		before := r
		s.gap()
		if r, stored = s.rows[s.id(k)]; stored && s.hashes(before.Token, h) && !s.tooNew(before, sentAt, now) && r.Active() {
			r.Status = tokens.DeviceNotRegistered
			s.put(r)
		}
		return s.end(ctx, "Invalidate")
	}
	if s.has("Invalidate writes back what it read", "Pairs/RefreshAndInvalidate") {
		s.gap()
	}
	for _, other := range s.all() {
		if s.hashes(other.Token, h) && s.has("Invalidate hits whoever has the token by now", "Invalidate/Late") {
			r, stored = other, true
		}
	}
	if s.broken[s.id(k)] {
		if s.has("Invalidate fails on what cannot be decoded", "Corrupt/Invalidate") {
			return &store.CorruptError{Key: k, Err: errBroken}
		}
		if s.has("Invalidate erases what cannot be decoded", "Corrupt/Invalidate") {
			s.erase(k)
		}
		stored = false
	}
	if !stored && s.has("Invalidate of nothing is an error", "Invalidate/Absent") {
		return store.ErrNotFound
	}
	if !stored || s.expired(r, now) && s.has("Invalidate leaves alone what has expired", "Invalidate/Expired") ||
		!s.hashes(r.Token, h) && !s.has("Invalidate ignores the token", "Invalidate/OtherToken") ||
		!usual(r.Token) && s.has("Invalidate knows one spelling", "Invalidate/Respelled") ||
		!r.Active() && !s.has("Invalidate overwrites the reason", "Invalidate/KeepsTheReason") &&
			!(r.Status == tokens.Inactive && s.has("Invalidate gives a reason where none is known", "Import/NoReasonKnown")) ||
		s.tooNew(r, sentAt, now) {
		return s.end(ctx, "Invalidate")
	}
	r.Status = tokens.DeviceNotRegistered
	if s.has("Invalidate gives the wrong reason", "Invalidate/Marks") {
		r.Status = tokens.Inactive
	}
	if s.has("Invalidate prolongs", "Invalidate/Marks", "Expiry/OnlyRegisterProlongs") {
		r.ExpiresAt = s.policy.Expiry(now)
	}
	s.put(r)
	if s.has("Invalidate erases", "Invalidate/Marks") {
		s.erase(r.Key)
	}
	for _, other := range s.of(k.UserID) {
		if s.has("Invalidate marks all devices of the user", "Invalidate/OnlyTheDevice") {
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
		return s.has("Invalidate spares what has no updatedAt", "Import/NoUpdateKnown")
	case s.has("Invalidate ignores sentAt", "Invalidate/ClockSkew", "Invalidate/RegisteredAgain", "Invalidate/Late"):
		return false
	case s.has("Invalidate goes by the server's clock", "Invalidate/SentAtAlone"):
		sentAt = now
	case s.has("Invalidate bears no clock skew", "Invalidate/ClockSkew"):
		boundary = r.UpdatedAt
	case s.has("Invalidate goes by registeredAt", "Invalidate/RegisteredAgain"):
		boundary = r.RegisteredAt.Add(store.ClockSkew)
	case s.has("Invalidate is a millisecond early", "Invalidate/ClockSkew"):
		boundary = boundary.Add(-time.Millisecond)
	case s.has("Invalidate is a millisecond late", "Invalidate/ClockSkew"):
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
	if stored && ctx.Err() != nil && s.has("Delete gives up after it marked the row", "Ending/Delete") {
		r.Status = tokens.LoggedOut
		s.put(r)
		return gaveUp(ctx)
	}
	if s.has("Delete gives up on a row that changed", "Pairs/RefreshAndDelete") {
		s.gap()
		if !s.unchanged(r) {
			return s.end(ctx, "Delete")
		}
	}
	switch {
	case !stored && s.has("Delete of nothing is an error", "Delete/Absent"):
		return store.ErrNotFound
	case stored && s.expired(r, now) && s.has("Delete refuses what has expired", "Delete/Expired"):
		return store.ErrNotFound
	case stored && !r.Active() && s.has("Delete leaves what is inactive", "Delete/Erases"),
		stored && r.UpdatedAt.After(now) && s.has("Delete leaves what registered later", "Clock/RemoveInThePast"),
		s.broken[s.id(k)] && s.has("Delete leaves what cannot be decoded", "Corrupt/Delete"):
		return s.end(ctx, "Delete")
	case stored && s.has("Delete only marks", "Delete/Erases"):
		r.Status = tokens.LoggedOut
		s.put(r)
		return s.end(ctx, "Delete")
	}
	if s.has("Delete takes the token's later registration with it", "Pairs/RefreshAndDelete") {
		s.gap()
		s.eraseHolder(r.Token)
	}
	if s.has("Delete hits whoever has the token by now", "Delete/Late") {
		s.eraseHolder(s.lastToken[k])
	}
	s.erase(k)
	s.erasedAt.set(k, now)
	s.leaveIndexed(s.has("Delete leaves the token in its index", "Delete/Erases"), r)
	for _, other := range s.all() {
		if other.Key.UserID == k.UserID && s.has("Delete erases the user", "Delete/OnlyTheDevice") ||
			other.Key.DeviceID == k.DeviceID && s.has("Delete erases the device of every user", "Delete/OnlyTheDevice") {
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
	if len(rows) == 0 && s.has("DeleteUser of nobody is an error", "DeleteUser/Absent") {
		return store.ErrNotFound
	}
	for k, t := range s.lastToken {
		if k.UserID == user && s.has("DeleteUser hits whoever has the tokens by now", "DeleteUser/Late") {
			s.eraseHolder(t)
		}
	}
	if s.has("DeleteUser takes the tokens' later registrations with it", "Pairs/RegisterAndDeleteUser") {
		s.gap()
		for _, r := range rows {
			s.eraseHolder(r.Token)
		}
	}
	if done, err := s.giveUpDeleteUser(ctx, rows); done {
		return err
	}
	if s.has("DeleteUser gives up on rows that changed", "Pairs/RegisterAndDeleteUser") {
		s.gap()
		rows = slices.DeleteFunc(rows, func(r tokens.Registration) bool { return !s.unchanged(r) })
	}
	for i, r := range rows {
		if !r.Active() && s.has("DeleteUser leaves what is inactive", "DeleteUser/Erases") ||
			s.broken[s.id(r.Key)] && s.has("DeleteUser leaves what cannot be decoded", "Corrupt/DeleteUser") ||
			s.expired(r, now) && s.has("DeleteUser leaves what has expired", "DeleteUser/Expired") ||
			r.UpdatedAt.After(now) && s.has("DeleteUser leaves what registered later", "Clock/RemoveInThePast") ||
			i >= s.policy.MaxDevices && s.has("DeleteUser erases as many as the limit allows", "Limit/RefreshAboveIt") ||
			i >= 100 && s.has("DeleteUser erases one page", "DeleteUser/Many") || i >= 500 && s.has("DeleteUser erases 500", "Sizes/MostDevices") {
			continue
		}
		s.erase(r.Key)
		s.leaveIndexed(s.has("DeleteUser leaves the tokens in its index", "DeleteUser/Erases"), r)
		if s.has("DeleteUser only marks", "DeleteUser/Erases") {
			r.Status = tokens.LoggedOut
			s.put(r)
		}
	}
	for _, r := range s.all() {
		if strings.HasPrefix(string(r.Key.UserID), string(user)) && s.has("DeleteUser takes a user for a prefix", "DeleteUser/OnlyTheUser") ||
			matches(user, r.Key.UserID) && s.has("DeleteUser takes a user for a pattern", "DeleteUser/OnlyTheUser") {
			s.erase(r.Key)
		}
	}
	return s.end(ctx, "DeleteUser")
}

// leaveIndexed keeps the row's token in an index, if the store is faulty.
func (s *faulty) leaveIndexed(faulty bool, r tokens.Registration) {
	if faulty && !r.Key.IsZero() {
		s.indexed.set(r.Token.Hash(), s.id(r.Key))
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
