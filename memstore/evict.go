package memstore

import (
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// makeRoom removes the user's rows that have to go before one more comes, and
// returns their keys.
func (s *Store) makeRoom(user tokens.UserID, now time.Time) []tokens.Key {
	n := 1 - s.policy.MaxDevices
	for range s.live(user, now) {
		n++
	}
	if n <= 0 {
		return nil
	}
	n = min(n, store.MaxEvictions)
	evicted := make([]tokens.Key, n)
	for i, r := range slices.SortedFunc(s.live(user, now), evictionOrder)[:n] {
		evicted[i] = r.Key
		s.remove(r)
	}
	return evicted
}

func evictionOrder(a, b *row) int { return store.EvictionOrder(a.Registration, b.Registration) }
