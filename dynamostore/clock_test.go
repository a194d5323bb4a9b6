package dynamostore_test

import (
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// server returns a store on w's table with its own TTL, whose clock is ahead of w's.
func (w *world) server(ahead, ttl time.Duration, recorder *dynamotest.Recorder) *dynamostore.Store {
	w.Helper()
	return dynamotest.Store(w, dynamotest.Client(w, recorder, dynamotest.NoRetries), w.table, dynamostore.Options{
		Policy: store.Policy{TTL: ttl, Now: func() time.Time { return w.now.Add(ahead) }},
	})
}

// sent returns the recorded calls, and resets the recorder.
func sent(r *dynamotest.Recorder) []string {
	var calls []string
	for _, c := range r.Calls() {
		calls = append(calls, c.String())
	}
	r.Reset()
	return calls
}

// TestTwoServers has servers with different clocks and TTLs. Each sets its own expiry.
// A claim that is too short for the longer TTL is renewed once.
func TestTwoServers(t *testing.T) {
	w := newWorld(t, store.Policy{})
	var recorder dynamotest.Recorder
	short, long := w.server(0, 30*day, &recorder), w.server(time.Hour, 90*day, &recorder)
	for _, step := range []struct {
		name  string
		s     store.Store
		life  time.Duration
		calls []string
	}{
		{"new, for 30 days", short, 30 * day, []string{"UpdateItem (refused) 1 W", "Query 1 R", "TransactWriteItems 4 W"}},
		{"then for 90", long, time.Hour + 90*day, []string{"UpdateItem (refused) 1 W", "TransactWriteItems 4 W"}},
		{"for 30 again", short, 30 * day, []string{"UpdateItem 1 W"}},
		{"for 90 again", long, time.Hour + 90*day, []string{"UpdateItem 1 W"}},
	} {
		result, err := step.s.Register(t.Context(), requestFor(alice, tokenA))
		w.do(err)
		equal(t, step.name, step.calls, sent(&recorder))
		equal(t, step.name+": expiry", w.now.Add(step.life).Truncate(time.Second), result.Registration.ExpiresAt)
		w.check()
	}
}

// TestServerADayBehind: TTL goes by DynamoDB's clock. If a server's clock is at most a
// day behind it, a registration has expired to that server before TTL may remove the
// registration's claim, also if a refresh left the claim as short as it may be. Then
// another user may have the token.
func TestServerADayBehind(t *testing.T) {
	for _, tt := range []struct {
		behind time.Duration
		live   bool // without a claim
	}{
		{day, false},
		{day + time.Second, true},
	} {
		w := newWorld(t, store.Policy{})
		var recorder dynamotest.Recorder
		s := w.server(-tt.behind, 0, &recorder)
		for range 2 {
			_, err := s.Register(t.Context(), requestFor(alice, tokenA))
			w.do(err)
			w.now = w.now.Add(29 * day)
		}
		calls := sent(&recorder)
		equal(t, "the refresh after 29 days", "UpdateItem 1 W", calls[len(calls)-1])

		w.look()
		w.now = time.Unix(number(w.at(alice), "claimExpiresAt"), 0).UTC()
		w.remove(w.claimOf(alice))
		_, err := s.Get(t.Context(), alice)
		equal(t, "live", tt.live, err == nil)
		if tt.live {
			continue
		}
		result, err := s.Register(t.Context(), requestFor(bob, tokenA))
		w.do(err)
		equal(t, "moved", false, result.Moved())
		result, err = s.Register(t.Context(), requestFor(alice, tokenA)) // TTL has not removed this row
		w.do(err)
		equal(t, "outcome", store.Created, result.Outcome)
		equal(t, "moved from", bob, result.MovedFrom)
		w.check()
		w.empty(bob)
	}
}

// claimOf returns the claim that look found of the owner.
func (w *world) claimOf(owner tokens.Key) dynamotest.Item {
	w.Helper()
	for _, i := range w.items {
		if ownerOf(i) == owner {
			return i
		}
	}
	w.Fatalf("%v has no claim", owner)
	return nil
}
