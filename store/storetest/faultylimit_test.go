package storetest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func (s *faulty) makeRoom(newcomer tokens.Key, now time.Time, result *store.Result) {
	user := newcomer.UserID
	s.queues[user] = append(s.queues[user], newcomer)
	rows := s.candidates(newcomer, now)
	if s.has("counts, then writes") {
		rows = slices.DeleteFunc(s.counted[newcomer], func(r tokens.Registration) bool {
			_, stored := s.rows[s.id(r.Key)]
			return !stored
		})
	}
	slices.SortStableFunc(rows, s.evictionOrder)

	limit := s.policy.MaxDevices
	if s.has("allows one device too many") {
		limit++
	}
	if result.MovedFrom != (tokens.Key{}) && s.has("forgets the limit when a token moves") {
		return
	}
	if len(rows) > 500 && s.has("counts no more than 500 devices") {
		rows = rows[:500]
	}
	n := min(len(rows), len(rows)+1-limit+s.counter[user])
	if n > store.MaxEvictions && !s.has("evicts more than forty at once") {
		n = store.MaxEvictions
	}
	if n > 1 && s.has("evicts one at a time") {
		n = 1
	}
	if n <= 0 {
		return
	}
	if s.has("evicts the newcomer") {
		rows[0] = result.Registration
	}
	for _, r := range rows[:n] {
		s.erase(r.Key)
		s.leaveIndexed("evicts a device and leaves its token in the index", r)
		result.Evicted = append(result.Evicted, r.Key)
	}
	switch {
	case s.has("tells of no eviction"):
		result.Evicted = nil
	case s.has("tells of evictions by device id"):
		slices.SortFunc(result.Evicted, func(a, b tokens.Key) int { return cmp.Compare(a.DeviceID, b.DeviceID) })
	case s.has("returns one slice of evicted keys each time"):
		s.keyBuf = append(s.keyBuf[:0], result.Evicted...)
		result.Evicted = s.keyBuf
	case s.has("hands out its queue of devices"):
		result.Evicted = s.queues[user][:n]
		s.queues[user] = s.queues[user][n:]
		for _, k := range result.Evicted {
			s.erase(k)
		}
	}
}

// candidates returns the rows that count.
func (s *faulty) candidates(newcomer tokens.Key, now time.Time) []tokens.Registration {
	return slices.DeleteFunc(s.all(), func(r tokens.Registration) bool {
		switch {
		case r.Key.UserID != newcomer.UserID:
			return !s.has("has one limit for all users")
		case r.Key == newcomer:
			return !s.has("counts the row that is written over") && !s.has("makes room for a refresh")
		case s.broken[s.id(r.Key)]:
			return !s.has("counts what cannot be decoded")
		case s.expired(r, now):
			return !s.has("counts what has expired")
		case !r.Active():
			return s.has("counts active devices only")
		}
		return false
	})
}

func (s *faulty) evictionOrder(a, b tokens.Registration) int {
	if a.Active() != b.Active() && !s.has("evicts live devices before logged-out ones") {
		if b.Active() {
			return -1
		}
		return 1
	}
	if !a.Active() && !b.Active() && s.has("evicts inactive devices by device id") {
		return cmp.Compare(a.Key.DeviceID, b.Key.DeviceID)
	}
	if logout := tokens.LoggedOut; (a.Status == logout) != (b.Status == logout) && s.has("evicts devices that logged out before those that are gone") {
		return map[bool]int{true: -1, false: 1}[a.Status == logout]
	}
	updated := a.UpdatedAt.Compare(b.UpdatedAt)
	switch {
	case a.UpdatedAt.IsZero() != b.UpdatedAt.IsZero() && s.has("evicts last what has no updatedAt"):
		updated = -updated
	case s.has("evicts the device that was updated last"):
		updated = -updated
	case s.has("evicts the device that was registered first"):
		updated = a.RegisteredAt.Compare(b.RegisteredAt)
	case s.has("evicts by the whole second"):
		updated = a.UpdatedAt.Truncate(time.Second).Compare(b.UpdatedAt.Truncate(time.Second))
	case s.has("evicts by the nanosecond"):
		updated = s.exact[a.Key].Compare(s.exact[b.Key])
	}
	device := cmp.Compare(a.Key.DeviceID, b.Key.DeviceID)
	switch {
	case s.has("evicts the greatest device id"):
		device = -device
	case s.has("evicts by device id without regard to case"):
		device = strings.Compare(strings.ToLower(string(a.Key.DeviceID)), strings.ToLower(string(b.Key.DeviceID)))
	}
	return cmp.Or(updated, device)
}

// evictsAbove reports whether a Register makes room that is neither new nor at
// the limit.
func (s *faulty) evictsAbove(user tokens.UserID, o store.Outcome) bool {
	return (o == store.Refreshed && s.has("evicts on a refresh above the limit") ||
		o == store.Replaced && s.has("evicts on a replacement above the limit")) && s.crowded(user)
}

func (s *faulty) crowded(user tokens.UserID) bool { return len(s.of(user)) > s.policy.MaxDevices }

var brokenLimit = []broken{
	{"ignores Policy.MaxDevices", []string{"Limit/Exact", "Limit/One"}},
	{"has a default limit of its own", []string{"Limit/Default"}},
	{"allows one device too many", []string{"Limit/Exact", "Limit/One", "Limit/Default"}},
	{"has one limit for all users", []string{"Limit/PerUser"}},
	{"makes room for a refresh", []string{"Limit/OnlyNewDevicesEvict"}},
	{"evicts on a refresh above the limit", []string{"Limit/RefreshAboveIt"}},
	{"evicts on a replacement above the limit", []string{"Limit/RefreshAboveIt"}},
	{"counts no more than 500 devices", []string{"Sizes/MostDevices"}},
	{"counts active devices only", []string{"Limit/InactiveCount"}},
	{"counts what has expired", []string{"Limit/ExpiredDoNotCount"}},
	{"counts the row that is written over", []string{"Limit/OwnExpiredIsNewDevice"}},
	{"counts the previous holder", []string{"Limit/Reinstalled"}},
	{"forgets the limit when a token moves", []string{"Limit/MoveAndEvict"}},

	{"evicts the newcomer", []string{"Limit/Exact", "Eviction/NeverTheNewcomer"}},
	{"evicts live devices before logged-out ones", []string{"Eviction/InactiveFirst"}},
	{"evicts devices that logged out before those that are gone", []string{"Eviction/OldestUpdateOfInactive"}},
	{"evicts last what has no updatedAt", []string{"Import/NoLimit"}},
	{"evicts a device and leaves its token in the index", []string{"Limit/Exact"}},
	{"evicts inactive devices by device id", []string{"Eviction/OldestUpdateOfInactive"}},
	{"evicts the device that was updated last", []string{"Eviction/OldestUpdate"}},
	{"evicts the device that was registered first", []string{"Eviction/OldestUpdate"}},
	{"evicts by the whole second", []string{"Eviction/Milliseconds"}},
	{"evicts by the nanosecond", []string{"Eviction/Milliseconds"}},
	{"evicts the greatest device id", []string{"Eviction/SmallestDeviceID"}},
	{"evicts by device id without regard to case", []string{"Eviction/SmallestDeviceID"}},
	{"evicts more than forty at once", []string{"Eviction/AtMostForty"}},
	{"evicts one at a time", []string{"Eviction/AtMostForty"}},
	{"tells of no eviction", []string{"Limit/Exact"}},
	{"tells of evictions by device id", []string{"Eviction/AtMostForty"}},
	{"returns one slice of evicted keys each time", []string{"Values/OfEvicted"}},
	{"hands out its queue of devices", []string{"Values/OfEvicted"}},

	{"counts, then writes", []string{"Race/Limit"}},
}
