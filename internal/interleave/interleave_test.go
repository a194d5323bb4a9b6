// Package interleave tests package dynamostore by controlled interleaving, on
// DynamoDB Local: a transport lets one request through at a time, in an order
// that a seed decides.
//
// A schedule runs a few concurrent operations of few users and devices, with the same
// few tokens in all spellings. The table also has rows of the earlier service, some of
// which share a token or cannot be decoded. The device limit is small, and servers
// differ in TTL and clock. Between two requests the clock may move, often to a second at
// which a row expires, and TTL may remove an expired item. Requests and responses are
// lost, retried like the SDK retries them, delivered late, or rejected with a conflict.
//
// After each write the package reads the whole table, checks the invariants, and checks
// that the operation changed only its own rows. It compares each result with the table
// at the time of the result. An operation without interference must end, and at the end
// of a schedule each user must be able to register every token again in few calls.
//
// A seed reproduces its schedule:
//
//	go test ./internal/interleave -interleave.seed=42 -interleave.schedules=1 -v
//	go test ./internal/interleave -interleave.seed=1000 -interleave.schedules=5000 -timeout=2h
//
// A seed gives another schedule when the generator changes, so TestScripts has schedules
// that found an error, and rare ones, as scripts.
//
// make ablation tests the package itself: it removes one rule of package dynamostore at a
// time, and expects a violation in a schedule that has none with the rule.
package interleave

import (
	"flag"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	seed      = flag.Uint64("interleave.seed", 1, "the first `seed`")
	schedules = flag.Int("interleave.schedules", 60, "how many schedules to play, from that seed on")
)

// lanes is the number of schedules that are played at once, each on its own table.
const lanes = 2

func TestSchedules(t *testing.T) {
	var (
		mu     sync.Mutex
		total  = make(map[string]int)
		failed atomic.Bool
	)
	t.Run("lanes", func(t *testing.T) {
		for n := range lanes {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				lane := newLane(t)
				for i := n; i < *schedules && !failed.Load(); i += lanes {
					s, err := lane.play(*seed + uint64(i))
					mu.Lock()
					for what, n := range s.counts {
						total[what] += n
					}
					mu.Unlock()
					if err != nil {
						failed.Store(true) // one is enough
						t.Fatalf("-interleave.seed=%d: %v", *seed+uint64(i), err)
					}
				}
			})
		}
	})
	t.Logf("%d schedules: %v", *schedules, total)
}

// kept are schedules that once failed, with the error that they showed.
var kept = map[uint64]string{
	466: "a refresh that is delivered months after its server read the clock writes an expired row",
}

func TestKeptSeeds(t *testing.T) {
	lane := newLane(t)
	for seed, showed := range kept {
		if _, err := lane.play(seed); err != nil {
			t.Errorf("%s: -interleave.seed=%d: %v", showed, seed, err)
		}
	}
}

// TestSeedReproduces plays schedules twice and compares their traces.
func TestSeedReproduces(t *testing.T) {
	lane := newLane(t)
	for seed := range uint64(2) {
		first, err := lane.play(seed)
		if err != nil {
			t.Fatalf("-interleave.seed=%d: %v", seed, err)
		}
		again, err := lane.play(seed)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first.trace, again.trace); diff != "" {
			t.Errorf("-interleave.seed=%d happens in two ways (-first +second):\n%s", seed, diff)
		}
	}
}
