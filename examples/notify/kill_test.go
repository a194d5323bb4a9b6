package main

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// kills is how many times the program is killed, each time while it sends or
// fetches.
const kills = 4

// unlimited is the rate of an Expo that takes whatever comes.
const unlimited = 1 << 30

func TestKilledProcess(t *testing.T) {
	t.Parallel()
	r := newCampaign(t, 1600, unlimited).runKilled()
	t.Logf("%+v", r)
}

// A killing is what became of a campaign whose process was killed.
type killing struct {
	killed            int           // times
	took              time.Duration // all runs together
	acknowledged      int           // users that were seen to be, after a kill
	acknowledgedAgain int           // and were told again
	again             int           // messages that were sent once more
	due               int           // registrations that have to be invalidated
	invalidated       int           // of these
	invalidatedToo    int           // of the others
	residentMB        int
}

// runKilled kills the program while it works, again and again. No user whose
// message was acknowledged gets it twice, each user gets it, and of the phones that
// are gone exactly those with an old enough registration are invalidated.
func (c *campaign) runKilled() (r killing) {
	c.t.Helper()
	acknowledged := map[tokens.UserID]int{}
	for range kills {
		began := time.Now()
		killed, _ := c.run(7+rand.IntN(c.n/100/kills), "-rate", "1e7")
		r.took += time.Since(began)
		if killed {
			r.killed++
		}
		for user, n := range c.acknowledged() {
			acknowledged[user] = n
		}
	}
	began := time.Now()
	_, printed := c.run(0, "-rate", "1e7")
	r.took += time.Since(began)
	r.acknowledged, r.residentMB = len(acknowledged), c.resident>>10
	c.t.Logf("the last run printed\n%s", printed)
	// The seventh request of six workers is made after the answer to another.
	if r.killed == 0 || r.acknowledged == 0 {
		c.t.Errorf("it was killed %d times, and seen to have sent to %d", r.killed, r.acknowledged)
	}
	c.check(acknowledged, &r)
	return r
}

func (c *campaign) check(acknowledged map[tokens.UserID]int, r *killing) {
	t := c.t
	t.Helper()
	for i := range c.n {
		registration, err := c.registry.Get(context.Background(), keyOf(i))
		if err != nil {
			t.Fatal(err)
		}
		switch due, invalidated := isGone(i) && !isRegistered(i), registration.Status == tokens.DeviceNotRegistered; {
		case due && invalidated:
			r.due++
			r.invalidated++
		case due:
			r.due++
		case invalidated:
			r.invalidatedToo++
		}
		n := c.expo.Received(tokenOf(i))
		if n == 0 && !isGone(i) {
			t.Errorf("%s was not told", userName(i))
		}
		r.again += max(0, n-1)
		if before, known := acknowledged[tokens.UserID(userName(i))]; known && n != before {
			r.acknowledgedAgain++
		}
	}
	if r.due == 0 || r.invalidated != r.due || r.invalidatedToo != 0 {
		t.Errorf("invalidated were %d of %d, and %d others", r.invalidated, r.due, r.invalidatedToo)
	}
	if r.acknowledgedAgain > 0 {
		t.Errorf("%d who were acknowledged were told again", r.acknowledgedAgain)
	}
	if most := r.killed * 6 * 100; r.again > most {
		t.Errorf("%d were told again, more than the %d that were on their way", r.again, most)
	}
	if stats := c.expo.Stats(); stats.Misrouted > 0 || len(stats.Refused) > 0 {
		t.Errorf("%+v", stats)
	}
}
