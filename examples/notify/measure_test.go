//go:build measure

package main

import (
	"flag"
	"fmt"
	"strconv"
	"testing"

	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/internal/figures"
)

var (
	mostUsers = flag.Int("recipients", 1_000_000, "how many users the larger of the killed jobs has; the smaller one has a tenth")
	write     = flag.String("write", "", "`folder` to write the result to")
)

// atLimit is how many users are notified as fast as Expo allows.
const atLimit = 20_000

// TestMeasured takes minutes, and processor time that it needs for itself: an
// Expo that counts every second notices a process that is held up.
func TestMeasured(t *testing.T) {
	limit := limitTable(t)
	killed := figures.Table{Columns: []string{"users"}}
	for _, n := range []int{*mostUsers / 10, *mostUsers} {
		r := newCampaign(t, n, unlimited).runKilled()
		killed.Columns = append(killed.Columns, grouped(n))
		for i, row := range [][2]string{
			{"kills", grouped(r.killed)},
			{"users seen acknowledged at a kill", grouped(r.acknowledged)},
			{"of these, told again", grouped(r.acknowledgedAgain)},
			{"others told again: their batch was on its way at a kill", grouped(r.again - r.acknowledgedAgain)},
			{"registrations due to be invalidated", grouped(r.due)},
			{"of these, invalidated", grouped(r.invalidated)},
			{"others invalidated", grouped(r.invalidatedToo)},
			{"largest resident set, MB", grouped(r.residentMB)},
			{"time of all runs, s", grouped(int(r.took.Seconds()))},
		} {
			if i == len(killed.Rows) {
				killed.Rows = append(killed.Rows, []string{row[0]})
			}
			killed.Rows[i] = append(killed.Rows[i], row[1])
		}
	}
	result := figures.Result{
		Command: "make bench-notify", Machine: figures.Machine(),
		Tables: map[string]figures.Table{"killed": killed, "limit": limit},
	}
	t.Logf("%+v", result)
	if t.Failed() || *write == "" {
		return
	}
	if err := result.Write(*write, "notify"); err != nil {
		t.Error(err)
	}
}

// limitTable sends at the program's own rate to an Expo with its own limit.
func limitTable(t *testing.T) figures.Table {
	c := newCampaign(t, atLimit, expo.MaxPerSecond)
	_, printed := c.run(0)
	stats := c.expo.Stats()
	// What the first batch began, the others ended.
	took := c.sends[len(c.sends)-1].Sub(c.sends[0])
	rate := float64(stats.Taken-expo.MaxMessages) / took.Seconds()
	if stats.Taken != atLimit || len(stats.Refused) != 0 || stats.PeakSecond > expo.MaxPerSecond {
		t.Errorf("%+v\n%s", stats, printed)
	}
	if rate > expo.MaxPerSecond || rate < 0.85*expo.MaxPerSecond {
		t.Errorf("%.0f a second, which is not just under %d", rate, expo.MaxPerSecond)
	}
	return figures.Table{
		Columns: []string{"messages", "s", "a second", "most in any second", "Expo takes", "answers 429"},
		Rows: [][]string{{
			grouped(stats.Taken), fmt.Sprintf("%.1f", took.Seconds()), fmt.Sprintf("%.0f", rate), grouped(stats.PeakSecond),
			grouped(expo.MaxPerSecond), grouped(stats.Refused["TOO_MANY_REQUESTS"]),
		}},
	}
}

// grouped writes a number with its thousands apart.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
