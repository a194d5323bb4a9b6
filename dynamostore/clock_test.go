package dynamostore_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A refresh is one write as long as the claim lives a day longer than the
// registration will, to the second; and it refreshes until the second before the
// registration expires. Both go by the clock of the server, whichever wrote last.
func TestRefreshBoundaries(t *testing.T) {
	const ttl = 90 * day
	for _, ahead := range []time.Duration{0, -4 * time.Minute, 4 * time.Minute} {
		for _, tt := range []struct {
			name    string
			since   time.Duration // the first Register, on the server's clock
			outcome store.Outcome
			calls   int
		}{
			{"the claim is long enough", 29 * day, store.Refreshed, 1},
			{"the claim is a second too short", 29*day + time.Second, store.Refreshed, 2},
			{"its last second", ttl - time.Second, store.Refreshed, 2},
			{"expired", ttl, store.Created, 3},
		} {
			t.Run(tt.name+", clock "+ahead.String(), func(t *testing.T) {
				w := newWorld(t, store.Policy{})
				expiresAt := w.register(alice, tokenA).Registration.ExpiresAt
				var recorder dynamotest.Recorder
				s := w.server(ahead, ttl, &recorder)
				w.now = expiresAt.Add(-ttl + tt.since - ahead)

				result, err := s.Register(t.Context(), requestFor(alice, tokenA))
				w.do(err)
				equal(t, "outcome", tt.outcome, result.Outcome)
				equal(t, "calls", tt.calls, len(recorder.Calls()))
				w.look()
				w.intact()
			})
		}
	}
}

// TTL goes by DynamoDB's clock. It removes a claim in the second in which that
// expires, and by then the registration is long expired to a server whose clock
// is minutes behind, even if the claim is the shortest that a refresh leaves
// alone: no other user gets the token while a registration holds it.
func TestRemovedClaimWithClocksApart(t *testing.T) {
	w := newWorld(t, store.Policy{})
	var recorder dynamotest.Recorder
	behind := w.server(-10*time.Minute, 90*day, &recorder)
	first := w.register(alice, tokenA).Registration.ExpiresAt
	w.now = first.Add(-90*day + 29*day + 10*time.Minute) // the last second of a refresh
	if _, err := behind.Register(t.Context(), requestFor(alice, tokenA)); err != nil {
		t.Fatal(err)
	}
	equal(t, "calls of the refresh", 1, len(recorder.Calls()))
	w.look()
	for _, i := range w.items {
		if text(i, "ownerUserId") == "" {
			continue
		}
		expiresAt, err := strconv.ParseInt(i["expiresAt"].(*types.AttributeValueMemberN).Value, 10, 64)
		w.do(err)
		w.now = time.Unix(expiresAt, 0).UTC()
		w.remove(dynamotest.Item{"userId": i["userId"], "deviceId": i["deviceId"]})
	}
	if got, err := behind.Get(t.Context(), alice); err == nil {
		t.Fatalf("there is %v, and nothing keeps its token from others", got.Key)
	}
	result, err := behind.Register(t.Context(), requestFor(bob, tokenA))
	w.do(err)
	if result.Moved() {
		t.Errorf("moved from %v, which had expired", result.MovedFrom)
	}
	// Alice's row, which TTL has not removed, does not come to life again.
	again, err := behind.Register(t.Context(), requestFor(alice, tokenA))
	w.do(err)
	equal(t, "outcome", store.Created, again.Outcome)
	equal(t, "moved from", bob, again.MovedFrom)
	w.look()
	w.intact()
	w.empty(bob)
}

// server is a store on w's table whose clock is ahead of w's, and whose TTL is its
// own.
func (w *world) server(ahead, ttl time.Duration, recorder *dynamotest.Recorder) *dynamostore.Store {
	w.Helper()
	return dynamotest.Store(w, dynamotest.Client(w, recorder, dynamotest.NoRetries), w.table, dynamostore.Options{
		Policy: store.Policy{TTL: ttl, Now: func() time.Time { return w.now.Add(ahead) }},
	})
}

// sends fails unless the recorder has these calls; then it forgets them.
func sends(t *testing.T, r *dynamotest.Recorder, what string, want ...string) {
	t.Helper()
	var got []string
	for _, c := range r.Calls() {
		got = append(got, c.String())
	}
	equal(t, what, want, got)
	r.Reset()
}

// Two servers whose clocks are an hour apart: a registration ends up to an hour
// sooner for the server that is ahead, a refresh by the other server shortens the
// expiry by an hour, and each write is applied regardless of its time.
func TestTwoClocks(t *testing.T) {
	w := newWorld(t, store.Policy{})
	var recorder dynamotest.Recorder
	const ahead = time.Hour
	behind, fast := w.server(0, 0, &recorder), w.server(ahead, 0, &recorder)
	register := func(s store.Store, key tokens.Key, token tokens.Token) store.Result {
		t.Helper()
		result, err := s.Register(t.Context(), requestFor(key, token))
		w.do(err)
		w.look()
		w.intact()
		return result
	}

	first := register(fast, alice, tokenA)
	recorder.Reset()
	second := register(behind, alice, tokenA)
	sends(t, &recorder, "a refresh by the server behind", "UpdateItem 1 W")
	equal(t, "expiry that the refresh took away", ahead, first.Registration.ExpiresAt.Sub(second.Registration.ExpiresAt))
	equal(t, "registeredAt", first.Registration.RegisteredAt, second.Registration.RegisteredAt)
	register(fast, alice, tokenA)
	sends(t, &recorder, "a refresh by the server ahead", "UpdateItem 1 W")

	// A phone that changes hands at the server behind, after all of the above.
	if got := register(behind, bob, tokenA); got.MovedFrom != alice {
		t.Errorf("moved from %v, want %v", got.MovedFrom, alice)
	}
	w.empty(alice)

	// Within the hour before the expiry the two disagree about the registration.
	w.now = second.Registration.ExpiresAt.Add(-time.Minute)
	if _, err := behind.Get(t.Context(), bob); err != nil {
		t.Errorf("the server behind: %v", err)
	}
	if _, err := fast.Get(t.Context(), bob); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the server ahead: got error %v, want ErrNotFound", err)
	}
	// To neither is it there for good: a logout works, and so does the next launch.
	w.do(fast.Deactivate(t.Context(), bob))
	w.look()
	w.hasStatus(bob, tokens.LoggedOut)
	if got := register(fast, bob, tokenA); got.Outcome != store.Created {
		t.Errorf("the server ahead: the outcome is %s, want created", got.Outcome)
	}
	if got := register(behind, bob, tokenA); got.Outcome != store.Refreshed {
		t.Errorf("the server behind: the outcome is %s, want refreshed", got.Outcome)
	}
}

// A sender whose clock is ahead of the server's by less than five minutes does not
// hit a registration that is newer than its message; one that is further ahead may.
func TestSenderAhead(t *testing.T) {
	for _, tt := range []struct {
		ahead time.Duration
		want  tokens.Status
	}{
		{store.ClockSkew - time.Millisecond, tokens.Active},
		{store.ClockSkew, tokens.DeviceNotRegistered},
	} {
		w := newWorld(t, store.Policy{})
		w.register(alice, tokenA) // right after the message was sent
		w.do(w.clean.Invalidate(t.Context(), alice, tokenA.Hash(), w.now.Add(tt.ahead)))
		w.look()
		w.hasStatus(alice, tt.want)
	}
}

// Two servers with different TTLs: each sets its own expiry. Where the one with
// the longer TTL comes second, the claim is too short for it, once.
func TestTwoTTLs(t *testing.T) {
	w := newWorld(t, store.Policy{})
	var recorder dynamotest.Recorder
	short, long := w.server(0, 30*day, &recorder), w.server(0, 90*day, &recorder)
	for _, step := range []struct {
		what  string
		s     store.Store
		ttl   time.Duration
		calls []string
	}{
		{"new, for 30 days", short, 30 * day, []string{"UpdateItem (refused) 1 W", "Query 1 R", "TransactWriteItems 4 W"}},
		{"then for 90", long, 90 * day, []string{"UpdateItem (refused) 1 W", "TransactWriteItems 4 W"}},
		{"for 30 again", short, 30 * day, []string{"UpdateItem 1 W"}},
		{"for 90 again", long, 90 * day, []string{"UpdateItem 1 W"}},
	} {
		result, err := step.s.Register(t.Context(), requestFor(alice, tokenA))
		w.do(err)
		sends(t, &recorder, step.what, step.calls...)
		equal(t, "expiry "+step.what, w.now.Add(step.ttl).Truncate(time.Second), result.Registration.ExpiresAt)
		w.look()
		w.intact()
	}
}

// A server whose clock is up to a day behind DynamoDB's: by the time that TTL may
// remove a claim, which goes by DynamoDB's clock, the registration that holds it
// has expired to that server. It holds for the shortest claim that a refresh
// leaves alone, and it is why clocks may not be further behind.
func TestServerADayBehind(t *testing.T) {
	for _, tt := range []struct {
		behind time.Duration
		live   bool // without a claim, if TTL is quick
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
		calls := recorder.Calls()
		equal(t, "the refresh after 29 days", "UpdateItem 1 W", calls[len(calls)-1].String())

		w.look()
		for _, i := range w.items {
			if expiry, ok := i["claimExpiresAt"].(*types.AttributeValueMemberN); ok {
				seconds, err := strconv.ParseInt(expiry.Value, 10, 64)
				w.do(err)
				w.now = time.Unix(seconds, 0).UTC()
			}
		}
		_, err := s.Get(t.Context(), alice)
		equal(t, "live", tt.live, err == nil)
	}
}

// A user's expired row may still have a token, whose claim TTL has removed, that
// another of the user's devices has by now. The claim of that one goes with it:
// nothing that names the user is left.
func TestDeleteUserWithAnExpiredRowOfTheSameToken(t *testing.T) {
	w := newWorld(t, store.Policy{})
	w.register(alice, tokenA)
	w.now = w.now.Add(60 * day)
	w.register(tablet, tokenB)
	w.now = w.now.Add(61 * day)
	w.look()
	for _, i := range w.items {
		if text(i, "ownerDeviceId") == string(alice.DeviceID) {
			w.remove(dynamotest.Item{"userId": i["userId"], "deviceId": i["deviceId"]})
		}
	}
	w.register(tablet, tokenA)
	w.look()
	w.holds(alice, tokenA)
	w.holds(tablet, tokenA)

	w.do(w.clean.DeleteUser(t.Context(), alice.UserID))
	w.look()
	for _, i := range w.items {
		t.Errorf("%s is left, of %s", text(i, "userId"), text(i, "ownerUserId"))
	}
}
