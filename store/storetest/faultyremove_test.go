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
	if s.deactivateInSteps(k) {
		return s.end(ctx, "Deactivate")
	}
	return s.mark(ctx, "Deactivate", k, tokens.LoggedOut, now, func(r tokens.Registration) bool {
		return !(r.UpdatedAt.After(now) && s.has("Deactivate leaves alone what registered later", "Clock/RemoveInThePast"))
	})
}

func (s *faulty) Invalidate(ctx context.Context, k tokens.Key, h tokens.Hash, sentAt time.Time) error {
	if err := s.begin(ctx, "Invalidate", store.ValidateInvalidation(k, h, sentAt)); err != nil {
		return err
	}
	defer s.mu.Unlock()
	now := s.policy.Now()
	if before, stored := s.rows[s.id(k)]; stored && s.has("Invalidate marks by key what it checked before", "Pairs/RefreshAndInvalidate") {
		s.gap()
		if r, stored := s.rows[s.id(k)]; stored && s.hashes(before.Token, h) && !s.tooNew(before, sentAt, now) && r.Active() {
			r.Status = tokens.DeviceNotRegistered
			s.put(r)
		}
		return s.end(ctx, "Invalidate")
	}
	status := tokens.DeviceNotRegistered
	if s.has("Invalidate gives the wrong reason", "Invalidate/Marks") {
		status = tokens.Inactive
	}
	return s.mark(ctx, "Invalidate", k, status, now, func(r tokens.Registration) bool {
		return (s.hashes(r.Token, h) || s.has("Invalidate ignores the token", "Invalidate/OtherToken")) &&
			(usual(r.Token) || !s.has("Invalidate knows one spelling", "Invalidate/Respelled")) && !s.tooNew(r, sentAt, now)
	})
}

// mark gives the active row under the key the status if applies reports true.
func (s *faulty) mark(ctx context.Context, method string, k tokens.Key, status tokens.Status, now time.Time, applies func(tokens.Registration) bool) error {
	r, stored := s.rows[s.id(k)]
	if stored && ctx.Err() != nil && s.has(method+" gives up after it erased the row to write it again") {
		s.erase(k)
		return gaveUp(ctx)
	}
	if s.has(method + " writes back what it read") {
		s.gap()
	}
	if s.broken[s.id(k)] {
		if s.has(method + " fails on what cannot be decoded") {
			return corrupt(k)
		}
		if s.has(method + " erases what cannot be decoded") {
			s.erase(k)
		}
		return s.end(ctx, method)
	}
	if !stored && s.has(method+" hits whoever has the token by now") {
		for _, r = range s.where(func(r tokens.Registration) bool { return r.Token.Equal(s.lastToken[k]) }) {
			stored = true
		}
	}
	if !stored && s.has(method+" of nothing is an error") {
		return store.ErrNotFound
	}
	if !stored && s.has(method+" of nothing stores something") {
		s.put(tokens.Registration{Key: k, Token: token(999), Status: status})
	}
	if !stored || !applies(r) || s.expired(r, now) && s.has(method+" leaves what has expired") ||
		!r.Active() && !s.has(method+" overwrites the reason") && !(r.Status == tokens.Inactive && s.has(method+" gives a reason where none is known")) {
		return s.end(ctx, method)
	}
	r.Status = status
	if s.has(method + " sets updatedAt") {
		r.UpdatedAt = stamp(now)
	}
	if s.has(method + " prolongs") {
		r.ExpiresAt = s.policy.Expiry(now)
	}
	s.put(r)
	if s.has(method + " erases") {
		s.erase(r.Key)
	}
	for _, other := range s.all() {
		if other.Key.UserID == k.UserID && s.has(method+" marks all devices of the user") ||
			other.Key.DeviceID == k.DeviceID && s.has(method+" marks the device of every user") {
			other.Status = status
			s.put(other)
		}
	}
	return s.end(ctx, method)
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
	if stored && (s.has("Delete only marks", "Delete/Erases") || ctx.Err() != nil && s.has("Delete gives up after it marked the row", "Ending/Delete")) {
		r.Status = tokens.LoggedOut
		s.put(r)
		return s.end(ctx, "Delete")
	}
	if s.has("Delete gives up on a row that changed", "Pairs/RefreshAndDelete") {
		s.gap()
		if !s.unchanged(r) {
			return s.end(ctx, "Delete")
		}
	}
	if !stored && s.has("Delete of nothing is an error") || stored && s.expired(r, now) && s.has("Delete refuses what has expired", "Delete/Expired") {
		return store.ErrNotFound
	}
	if stored && s.leaves("Delete", r, now) {
		return s.end(ctx, "Delete")
	}
	if s.has("Delete takes the token's later registration with it", "Pairs/RefreshAndDelete") {
		s.gap()
		s.eraseHolder(r.Token)
	}
	if s.has("Delete hits whoever has the token by now") {
		s.eraseHolder(s.lastToken[k])
	}
	s.erase(k)
	s.erasedAt.set(k, now)
	s.leaveIndexed(s.has("Delete leaves the token in its index"), r)
	for _, other := range s.all() {
		if other.Key.UserID == k.UserID && s.has("Delete erases the user", "Delete/OnlyTheDevice") ||
			other.Key.DeviceID == k.DeviceID && s.has("Delete erases the device of every user", "Delete/OnlyTheDevice") {
			s.erase(other.Key)
		}
	}
	return s.end(ctx, "Delete")
}

func (s *faulty) leaves(method string, r tokens.Registration, now time.Time) bool {
	return !r.Active() && s.has(method+" leaves what is inactive") ||
		s.broken[s.id(r.Key)] && s.has(method+" leaves what cannot be decoded") ||
		s.expired(r, now) && s.has(method+" leaves what has expired") ||
		r.UpdatedAt.After(now) && s.has(method+" leaves what registered later")
}

func (s *faulty) DeleteUser(ctx context.Context, user tokens.UserID) error {
	if err := s.begin(ctx, "DeleteUser", user.Validate()); err != nil {
		return err
	}
	defer s.mu.Unlock()
	now := s.policy.Now()
	rows := s.of(user)
	if len(rows) == 0 && s.has("DeleteUser of nothing is an error") {
		return store.ErrNotFound
	}
	for k, t := range s.lastToken {
		if k.UserID == user && s.has("DeleteUser hits whoever has the token by now") {
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
		if s.leaves("DeleteUser", r, now) ||
			i >= s.policy.MaxDevices && s.has("DeleteUser erases as many as the limit allows", "Limit/RefreshAboveIt") ||
			i >= 100 && s.has("DeleteUser erases one page", "DeleteUser/Many") || i >= 500 && s.has("DeleteUser erases 500", "Sizes/MostDevices") {
			continue
		}
		s.erase(r.Key)
		s.leaveIndexed(s.has("DeleteUser leaves the token in its index"), r)
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

// matches reports whether the user matches the pattern of SQL or Redis.
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
