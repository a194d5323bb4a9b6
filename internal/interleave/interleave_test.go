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

// lanes is how many schedules are played at once, each in a table of its own.
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

// kept are schedules that once failed, and what they showed.
var kept = map[uint64]string{
	466: "a refresh that is delivered months after its server looked at the clock writes what is expired already",
}

func TestKeptSeeds(t *testing.T) {
	lane := newLane(t)
	for seed, showed := range kept {
		if _, err := lane.play(seed); err != nil {
			t.Errorf("%s: -interleave.seed=%d: %v", showed, seed, err)
		}
	}
}

// TestSeedReproduces plays schedules twice: the same must happen.
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
