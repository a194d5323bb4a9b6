package interleave

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// moveClock moves the clock, often to a second that matters to one of the servers.
func (s *schedule) moveClock() error {
	by := []time.Duration{time.Millisecond, time.Second, 5 * time.Minute, time.Hour, day, 6 * day, 31 * day, 150 * day}[s.rng.IntN(8)]
	if at := s.boundaries(); len(at) > 0 && s.rng.IntN(3) > 0 {
		by = at[s.rng.IntN(len(at))].Add(time.Duration(s.rng.IntN(3)-1) * time.Second).Sub(s.now)
	}
	if by <= 0 {
		return nil
	}
	s.now = s.now.Add(by)
	s.note("the clock has moved by %s", by)
	return s.checkInvariants()
}

// boundaries returns the future times at which an item expires by the true clock or a
// server's, a refresh is just possible or not, or a new claim would expire together with
// a stored one.
func (s *schedule) boundaries() []time.Time {
	var at []time.Time
	add := func(t time.Time) {
		if t.After(s.now) {
			at = append(at, t)
		}
	}
	for _, i := range s.state.items {
		expiresAt := seconds(i, "expiresAt")
		if expiresAt.IsZero() {
			continue
		}
		add(expiresAt)
		claim := seconds(i, "claimExpiresAt")
		if isClaim(i) {
			claim = expiresAt
		}
		for _, v := range s.servers {
			add(expiresAt.Add(-v.skew))
			if !claim.IsZero() {
				add(claim.Add(-v.skew - v.policy.TTL - day))
				add(claim.Add(-v.skew - v.policy.TTL))
				add(claim.Add(-v.skew - claimLife(v.policy)))
			}
		}
	}
	return at
}

// removeExpired removes some expired registrations or claims, as TTL may at any time.
func (s *schedule) removeExpired() error {
	expired := slices.DeleteFunc(slices.Clone(s.state.items), func(i attributes) bool {
		e := seconds(i, "expiresAt")
		return e.IsZero() || s.now.Before(e)
	})
	if len(expired) == 0 {
		return nil
	}
	some := []attributes{expired[s.rng.IntN(len(expired))]}
	if s.rng.IntN(2) == 0 {
		claims := s.rng.IntN(2) == 0
		some = slices.DeleteFunc(expired, func(i attributes) bool { return isClaim(i) != claims })
	}
	return s.remove(some)
}

func (s *schedule) remove(items []attributes) error {
	s.crowd()
	for _, gone := range items {
		s.note("TTL removes %s", itemName(gone))
		key := attributes{"userId": gone["userId"], "deviceId": gone["deviceId"]}
		if _, err := s.lane.client.DeleteItem(s.lane.ctx, &dynamodb.DeleteItemInput{TableName: &s.lane.table, Key: key}); err != nil {
			return err
		}
		s.observe(newTable(slices.DeleteFunc(slices.Clone(s.state.items), func(i attributes) bool {
			return itemName(i) == itemName(gone)
		})))
		if err := s.checkInvariants(); err != nil {
			return err
		}
	}
	return nil
}
