package memstore

import (
	"cmp"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// makeRoom removes the user's rows that have to go before one more comes, and
// returns their keys. Expired rows do not count: only a clock that was set back
// leaves any here.
func (s *Store) makeRoom(user tokens.UserID, now time.Time) []tokens.Key {
	rows := s.users[user]
	if len(rows) < s.policy.MaxDevices {
		return nil
	}
	rows = slices.DeleteFunc(slices.Clone(rows), func(r *row) bool { return r.Expired(now) })
	n := min(len(rows)+1-s.policy.MaxDevices, store.MaxEvictions)
	if n <= 0 {
		return nil
	}
	slices.SortFunc(rows, evictionOrder)
	evicted := make([]tokens.Key, n)
	for i, r := range rows[:n] {
		evicted[i] = r.Key
		s.remove(r)
	}
	return evicted
}

// evictionOrder puts first what goes first.
func evictionOrder(a, b *row) int {
	if a.Active() != b.Active() {
		if b.Active() {
			return -1
		}
		return 1
	}
	return cmp.Or(
		a.UpdatedAt.Compare(b.UpdatedAt),
		cmp.Compare(a.Key.DeviceID, b.Key.DeviceID),
	)
}
