//go:build measure

package main

import (
	"flag"
	"testing"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
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
		r := newCampaign(t, n, "", unlimited).runKilled()
		t.Logf("%d users: %+v", n, r)
	}
}

// sendAtLimit sends at the program's own rate to an Expo with its own limit.
func sendAtLimit(t *testing.T) {
	c := newCampaign(t, atLimit, "", fakeexpo.Options{})
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
	t.Logf("%d messages in %.1f s: %.0f a second; %+v", stats.Taken, took.Seconds(), rate, stats)
}
