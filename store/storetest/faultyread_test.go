package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var errBroken = errors.New("attribute platform")

func corrupt(k tokens.Key) *store.CorruptError { return &store.CorruptError{Key: k, Err: errBroken} }

func (s *faulty) Get(ctx context.Context, k tokens.Key) (tokens.Registration, error) {
	if err := s.begin(ctx, "Get", k.Validate()); err != nil {
		return tokens.Registration{}, err
	}
	defer s.mu.Unlock()
	if r, ok := s.got[k]; ok && s.has("caches registrations in its process", "Handles/ReadsAtOnce") {
		return r, nil
	}
	if r, done := s.join(ctx, k, s.has("Get shares the answer of a Get under way", "Race/ReadDuringARead"), func(r *reading) {
		if r.reg = s.rows[s.id(k)]; r.reg.Key.IsZero() {
			r.err = store.ErrNotFound
		}
	}); done {
		return r.reg, r.err
	}
	r, stored := s.rows[s.id(k)]
	if s.has("Get reads in two steps", "Race/GetWhileReplacing", "Pairs/GetAndRegister") {
		s.gap()
		r.Platform = s.rows[s.id(k)].Platform
	}
	if !stored && s.has("Get finds a device of any user", "Get/Absent") {
		for _, r = range s.where(func(r tokens.Registration) bool { return r.Key.DeviceID == k.DeviceID }) {
			stored = true
		}
	}
	if !stored {
		return s.none("Get")
	}
	r, err := s.found("Get", s.mixed("Get", r))
	if err == nil {
		s.got.set(k, r)
	}
	return r, err
}

func (s *faulty) Holder(ctx context.Context, h tokens.Hash) (tokens.Registration, error) {
	if err := s.begin(ctx, "Holder", h.Validate()); err != nil {
		return tokens.Registration{}, err
	}
	defer s.mu.Unlock()
	if k, ok := s.held[h]; ok && s.has("caches holders in its process", "Handles/ReadsAtOnce") {
		return s.rows[k], nil
	}
	if s.free[h] && s.has("caches in its process that a token has no holder", "Handles/ReadsAtOnce") {
		return s.none("Holder")
	}
	for _, r := range s.where(func(r tokens.Registration) bool { return s.hashes(r.Token, h) && !s.unindexed[h] }) {
		if !usual(r.Token) && s.has("Holder knows one spelling", "Holder/Respelled") {
			continue
		}
		givesUp := s.has("Holder gives up when the token moves", "Race/HolderWhileMoving")
		if givesUp || s.has("Holder reads in two steps", "Race/HolderWhileMoving", "Pairs/HolderAndRegister") {
			if s.gap(); !s.hashes(s.rows[s.id(r.Key)].Token, h) {
				if givesUp {
					return tokens.Registration{}, store.ErrTryAgain
				}
				break
			}
		}
		if s.has("Holder finds the key, then the row", "Race/HolderWhileReplacing") {
			s.gap()
			var stored bool
			if r, stored = s.rows[s.id(r.Key)]; !stored {
				break
			}
		}
		r, err := s.found("Holder", s.mixed("Holder", r))
		if err == nil {
			s.held.set(h, s.id(r.Key))
		}
		return r, err
	}
	if r, ok := s.rows[s.id(s.hadBefore[h])]; ok && s.has("Holder shows who gave the token up", "Register/Replace") {
		return r, nil
	}
	s.free.set(h, true)
	return s.none("Holder")
}

func (s *faulty) none(method string) (tokens.Registration, error) {
	if s.has(method + " returns nothing without an error") {
		return tokens.Registration{}, nil
	}
	return tokens.Registration{}, store.ErrNotFound
}

// found returns the result of Get or Holder for a stored row.
func (s *faulty) found(method string, r tokens.Registration) (tokens.Registration, error) {
	if s.broken[s.id(r.Key)] {
		err := corrupt(r.Key)
		switch {
		case s.has(method + " hides what cannot be decoded"):
			return s.none(method)
		case s.has(method + " shows what cannot be decoded"):
			return r, nil
		case s.has(method + " names the key of what cannot be decoded"):
			return tokens.Registration{}, fmt.Errorf("%v: %w", r.Key, err)
		}
		return tokens.Registration{}, err
	}
	expired := s.expired(r, s.policy.Now())
	if expired {
		s.purge(method, r.Key)
	}
	if expired && !s.has(method+" shows what has expired") || !r.Active() && s.has(method+" hides what is inactive") {
		return s.none(method)
	}
	return r, nil
}

// A reading is a read under way, whose result other calls get too.
type reading struct {
	done chan struct{}
	reg  tokens.Registration
	regs []tokens.Registration
	err  error
}

// join makes the read, or waits for the same read under way, if the store is
// faulty. It unlocks s.mu meanwhile.
func (s *faulty) join(ctx context.Context, what any, faulty bool, read func(*reading)) (r *reading, done bool) {
	if !faulty {
		return nil, false
	}
	r, joined := s.under[what]
	if !joined {
		r = &reading{done: make(chan struct{})}
		s.under.set(what, r)
		read(r)
	}
	s.mu.Unlock()
	if joined {
		<-r.done
	} else {
		_ = ctx.Err() // as a driver does
	}
	s.mu.Lock()
	if !joined {
		close(r.done)
		delete(s.under, what)
	}
	return r, true
}

func (s *faulty) List(ctx context.Context, user tokens.UserID) ([]tokens.Registration, error) {
	if err := s.begin(ctx, "List", user.Validate()); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	if listed, ok := s.lists[user]; ok && s.has("caches lists in its process", "Handles/ReadsAtOnce", "Handles/Sequence") {
		return listed, nil
	}
	if listed, ok := s.listed[user]; ok && s.has("hands out the list that it keeps", "Values/OfList") {
		return listed, nil
	}
	now := s.policy.Now()
	if r, done := s.join(ctx, user, s.has("List shares the answer of a List under way", "Race/ReadDuringARead"), func(r *reading) {
		r.regs = slices.DeleteFunc(s.of(user), func(r tokens.Registration) bool { return !r.Active() || s.expired(r, now) })
	}); done {
		return r.regs, nil
	}
	var regs []tokens.Registration
	for _, r := range s.all() {
		if s.expired(r, now) && r.Key.UserID == user {
			s.purge("List", r.Key)
		}

		if s.broken[s.id(r.Key)] {
			if s.has("List fails on what cannot be decoded", "Corrupt/List") {
				return nil, corrupt(r.Key)
			}
			continue
		}
		switch {
		case r.Key.UserID != user && !(strings.HasPrefix(string(r.Key.UserID), string(user)) && s.has("List takes a user for a prefix", "List/OnlyTheUsers")) &&
			!(matches(user, r.Key.UserID) && s.has("List takes a user for a pattern", "List/OnlyTheUsers")),
			!r.Active() && !s.has("List shows what is inactive", "List/OnlyActive"),
			s.expired(r, now) && !s.has("List shows what has expired"):
			continue
		}
		regs = append(regs, s.mixed("List", r))
	}
	if len(regs) > 0 && s.has("List reads one by one", "Race/ListWhileMoving", "Pairs/ListAndRegister") {
		s.gap()
		regs = slices.Concat(regs[:1], slices.DeleteFunc(s.of(user), func(r tokens.Registration) bool {
			return r.Key.DeviceID <= regs[0].Key.DeviceID || !r.Active() || s.expired(r, now)
		}))
	}
	switch {
	case len(regs) == 0 && s.has("List of none is an error", "List/None"):
		return nil, store.ErrNotFound
	case len(regs) > 100 && s.has("List is one page", "DeleteUser/Many"):
		regs = regs[:100]
	case len(regs) > 500 && s.has("List ends at 500", "Sizes/MostDevices"):
		regs = regs[:500]
	case s.has("List ends at a megabyte", "Sizes/MostDevices"):
		regs = regs[:megabyte(regs)]
	case s.has("List is in no order", "List/ByDeviceID"):
		slices.Reverse(regs)
	case s.has("List is ordered without punctuation", "List/ByDeviceID"):
		slices.SortFunc(regs, func(a, b tokens.Registration) int {
			plain := func(r tokens.Registration) string { return strings.ReplaceAll(string(r.Key.DeviceID), "-", "") }
			return strings.Compare(plain(a), plain(b))
		})
	case s.has("List is ordered without regard to case", "List/ByDeviceID"):
		slices.SortFunc(regs, func(a, b tokens.Registration) int { return byLoweredDevice(a.Key, b.Key) })
	}
	s.listed.set(user, regs)
	s.lists.set(user, regs)
	if s.has("List returns one slice each time", "Values/OfList") {
		s.listBuf = append(s.listBuf[:0], regs...)
		return s.listBuf, nil
	}
	return regs, nil
}

// purge erases an expired row by its key, if the store has the fault.
func (s *faulty) purge(method string, k tokens.Key) {
	if s.has(method + " erases by its key what has expired") {
		s.gap()
		s.erase(k)
	}
}

// megabyte returns the number of registrations that fit into a megabyte.
func megabyte(regs []tokens.Registration) int {
	size := 0
	for i, r := range regs {
		if size += len(r.Key.UserID) + len(r.Key.DeviceID) + len(r.Token.Reveal()) + len(r.ProjectID); size > 1<<20 {
			return i
		}
	}
	return len(regs)
}

// mixed returns the row with one attribute of a later write, if the store has the
// fault.
func (s *faulty) mixed(method string, r tokens.Registration) tokens.Registration {
	name, about := strings.CutPrefix(s.fault, method+" later reads ")
	if !about {
		return r
	}
	s.gap()
	later, stored := s.rows[s.id(r.Key)]
	if !stored {
		return r
	}
	switch name {
	case "token":
		r.Token = later.Token
	case "platform":
		r.Platform = later.Platform
	case "project":
		r.ProjectID = later.ProjectID
	case "status":
		r.Status = later.Status
	case "all but the status":
		later.Status = r.Status
		r = later
	case "updatedAt":
		r.UpdatedAt = later.UpdatedAt
	case "expiresAt":
		r.ExpiresAt = later.ExpiresAt
	}
	return r
}

func brokenMixed() []broken {
	var all []broken
	for method, check := range map[string]string{
		"Get": "Race/GetWhileReplacing", "List": "Race/ListWhileReplacing", "Holder": "Race/HolderWhileReplacing",
		"Inspect": "Race/InspectWhileReplacing", "Page": "Race/WalkWhileReplacing",
	} {
		for _, name := range []string{"token", "platform", "project", "status", "all but the status", "updatedAt", "expiresAt"} {
			// List omits inactive registrations, so the later change shows.
			if only := name == "status" || name == "all but the status"; only && (method == "List") != (name == "status") {
				continue
			}
			all = append(all, broken{method + " later reads " + name, []string{check}})
		}
	}
	return all
}
