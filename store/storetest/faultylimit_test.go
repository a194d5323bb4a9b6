package storetest

import (
	"cmp"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func (s *faulty) makeRoom(newcomer tokens.Key, now time.Time, result *store.Result) {
	user := newcomer.UserID
	s.queues.set(user, append(s.queues[user], newcomer))
	rows := s.candidates(newcomer, now)
	if s.has("counts, then writes", "Race/Limit") {
		rows = slices.DeleteFunc(s.counted[newcomer], func(r tokens.Registration) bool {
			_, stored := s.rows[s.id(r.Key)]
			return !stored
		})
	}
	slices.SortStableFunc(rows, s.evictionOrder)

	limit := s.policy.MaxDevices
	if s.has("allows one device too many", "Limit/Exact", "Limit/One", "Limit/Default") {
		limit++
	}
	if result.MovedFrom != (tokens.Key{}) && s.has("forgets the limit when a token moves", "Limit/MoveAndEvict") {
		return
	}
	if len(rows) > 500 && s.has("counts no more than 500 devices", "Sizes/MostDevices") {
		rows = rows[:500]
	}
	n := min(len(rows), len(rows)+1-limit+s.counter[user])
	if n > store.MaxEvictions && !s.has("evicts more than forty at once", "Eviction/AtMostForty") {
		n = store.MaxEvictions
	}
	if n > 1 && s.has("evicts one at a time", "Eviction/AtMostForty") {
		n = 1
	}
	if n <= 0 {
		return
	}
	if s.has("evicts the newcomer", "Limit/Exact", "Eviction/NeverTheNewcomer") {
		rows[0] = result.Registration
	}
	for _, r := range rows[:n] {
		s.erase(r.Key)
		s.leaveIndexed(s.has("evicts a device and leaves its token in the index", "Limit/Exact"), r)
		result.Evicted = append(result.Evicted, r.Key)
	}
	switch {
	case s.has("tells of no eviction", "Limit/Exact"):
		result.Evicted = nil
	case s.has("tells of evictions by device id", "Eviction/AtMostForty"):
		slices.SortFunc(result.Evicted, func(a, b tokens.Key) int { return cmp.Compare(a.DeviceID, b.DeviceID) })
	case s.has("returns one slice of evicted keys each time", "Values/OfEvicted"):
		s.keyBuf = append(s.keyBuf[:0], result.Evicted...)
		result.Evicted = s.keyBuf
	case s.has("hands out its queue of devices", "Values/OfEvicted"):
		result.Evicted = s.queues[user][:n]
		s.queues.set(user, s.queues[user][n:])
		for _, k := range result.Evicted {
			s.erase(k)
		}
	}
}

func (s *faulty) candidates(newcomer tokens.Key, now time.Time) []tokens.Registration {
	return s.where(func(r tokens.Registration) bool {
		switch {
		case r.Key.UserID != newcomer.UserID:
			return s.has("has one limit for all users", "Limit/PerUser")
		case r.Key == newcomer:
			return s.has("counts the row that is written over", "Limit/OwnExpiredIsNewDevice") || s.has("makes room for a refresh", "Limit/OnlyNewDevicesEvict")
		case s.broken[s.id(r.Key)]:
			return s.has("counts what cannot be decoded", "Corrupt/Limit")
		case s.expired(r, now):
			return s.has("counts what has expired", "Limit/ExpiredDoNotCount")
		case !r.Active():
			return !s.has("counts active devices only", "Eviction/InactiveFirst")
		}
		return true
	})
}

func (s *faulty) evictionOrder(a, b tokens.Registration) int {
	if a.Active() != b.Active() && !s.has("evicts live devices before logged-out ones", "Eviction/InactiveFirst") {
		if b.Active() {
			return -1
		}
		return 1
	}
	if !a.Active() && !b.Active() && s.has("evicts inactive devices by device id", "Eviction/OldestUpdateOfInactive") {
		return cmp.Compare(a.Key.DeviceID, b.Key.DeviceID)
	}
	if logout := tokens.LoggedOut; (a.Status == logout) != (b.Status == logout) && s.has("evicts devices that logged out before those that are gone", "Eviction/OldestUpdateOfInactive") {
		return map[bool]int{true: -1, false: 1}[a.Status == logout]
	}
	updated := a.UpdatedAt.Compare(b.UpdatedAt)
	switch {
	case a.UpdatedAt.IsZero() != b.UpdatedAt.IsZero() && s.has("evicts last what has no updatedAt", "Import/NoLimit"):
		updated = -updated
	case s.has("evicts the device that was updated last", "Eviction/OldestUpdate"):
		updated = -updated
	case s.has("evicts the device that was registered first", "Eviction/OldestUpdate"):
		updated = a.RegisteredAt.Compare(b.RegisteredAt)
	case s.has("evicts by the whole second", "Eviction/Milliseconds"):
		updated = a.UpdatedAt.Truncate(time.Second).Compare(b.UpdatedAt.Truncate(time.Second))
	case s.has("evicts by the nanosecond", "Eviction/Milliseconds"):
		updated = s.exact[a.Key].Compare(s.exact[b.Key])
	}
	device := cmp.Compare(a.Key.DeviceID, b.Key.DeviceID)
	switch {
	case s.has("evicts the greatest device id", "Eviction/SmallestDeviceID"):
		device = -device
	case s.has("evicts by device id without regard to case", "Eviction/SmallestDeviceID"):
		device = byLoweredDevice(a.Key, b.Key)
	}
	return cmp.Or(updated, device)
}

// evictsAbove reports whether a refresh or a replacement evicts.
func (s *faulty) evictsAbove(user tokens.UserID, o store.Outcome) bool {
	return (o == store.Refreshed && s.has("evicts on a refresh above the limit", "Limit/RefreshAboveIt") ||
		o == store.Replaced && s.has("evicts on a replacement above the limit", "Limit/RefreshAboveIt")) && s.crowded(user)
}

func (s *faulty) crowded(user tokens.UserID) bool { return len(s.of(user)) > s.policy.MaxDevices }
