package dynamostore_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
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
// alone: nobody else gets the token while somebody has it.
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
