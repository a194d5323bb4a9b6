//go:build measure

package main

import (
	"flag"
	"strconv"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
)

var mostUsers = flag.Int("recipients", 1_000_000, "how many users the larger of the killed jobs has; the smaller one has a tenth")

// atLimit is the number of users that are notified at Expo's own rate limit.
const atLimit = 20_000

// TestMeasured takes minutes and needs an idle machine: the fake Expo counts the
// messages of every second, so a process that is held up exceeds the limit.
func TestMeasured(t *testing.T) {
	sendAtLimit(t)
	for _, n := range []int{*mostUsers / 10, *mostUsers} {
		r := newCampaign(t, n, unlimited).runKilled()
		t.Logf(`%s users
kills: %s
users seen acknowledged at a kill: %s
of these, told again: %s
others told again, whose batch was on its way at a kill: %s
registrations due to be invalidated: %s
of these, invalidated: %s
others invalidated: %s
largest resident set, MB: %s
time of all runs: %s`,
			grouped(n), grouped(r.killed), grouped(r.acknowledged), grouped(r.acknowledgedAgain), grouped(r.again-r.acknowledgedAgain),
			grouped(r.due), grouped(r.invalidated), grouped(r.invalidatedToo), grouped(r.residentMB), r.took.Round(time.Second))
	}
}

// sendAtLimit sends at the program's own rate to an Expo with its own limit.
func sendAtLimit(t *testing.T) {
	c := newCampaign(t, atLimit, expo.MaxPerSecond)
	_, printed := c.run(0)
	stats := c.expo.Stats()
	// Without the first batch, which starts the clock.
	took := c.sends[len(c.sends)-1].Sub(c.sends[0])
	rate := float64(stats.Taken-expo.MaxMessages) / took.Seconds()
	if stats.Taken != atLimit || len(stats.Refused) != 0 || stats.PeakSecond > expo.MaxPerSecond {
		t.Errorf("%+v\n%s", stats, printed)
	}
	if rate > expo.MaxPerSecond || rate < 0.85*expo.MaxPerSecond {
		t.Errorf("%.0f a second, which is not just under %d", rate, expo.MaxPerSecond)
	}
	t.Logf("%s messages in %.1f s: %.0f a second, %s in the busiest second of the %s that Expo takes; %s answers 429",
		grouped(stats.Taken), took.Seconds(), rate, grouped(stats.PeakSecond), grouped(expo.MaxPerSecond), grouped(stats.Refused["TOO_MANY_REQUESTS"]))
}

// grouped formats a number with separated thousands.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
