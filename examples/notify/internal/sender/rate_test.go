package sender

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
)

// The rate stays just under Expo's limit in every second, and nothing is refused.
func TestRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fakeexpo.Options{})
		w.add(1800, app, "p")
		var last time.Time
		w.o.step = func(at string) error {
			if at == "acknowledged" {
				last = time.Now()
			}
			return nil
		}
		w.o.Workers = 1 // step is called by one goroutine at a time
		began := time.Now()
		w.finish()
		stats := w.expo.Stats()
		if len(stats.Refused) != 0 || stats.PeakSecond > 600 {
			t.Errorf("%d in one second, and refused: %v", stats.PeakSecond, stats.Refused)
		}
		if rate := 1800 / last.Sub(began).Seconds(); rate < 0.88*600 {
			t.Errorf("%.0f a second, of 600", rate)
		}
	})
}

// A request that is delayed after it passed the gate, for example by a slow disk, does
// not exceed the rate of a later second.
func TestRateOfRequestsHeldUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fakeexpo.Options{})
		w.add(6000, app, "p")
		var written atomic.Int64
		w.o.step = func(at string) error {
			if at == "sending" && written.Add(1)%4 == 0 {
				time.Sleep(500 * time.Millisecond)
			}
			return nil
		}
		began := time.Now()
		w.finish()
		if stats := w.expo.Stats(); len(stats.Refused) != 0 || stats.PeakSecond > 600 {
			t.Errorf("%d in one second, and refused: %v", stats.PeakSecond, stats.Refused)
		}
		if took := time.Since(began) - delay; took > 16*time.Second {
			t.Errorf("it took %v, which is slow", took)
		}
	})
}

// Each project has its own rate.
func TestRateOfTwoProjects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fakeexpo.Options{})
		w.add(1200, app, "p")
		w.add(1200, fakeexpo.Phone{Project: "@acme/other"}, "other")
		w.users = interleave(w.users)
		began := time.Now()
		if got := w.finish(); got.Delivered != 2400 {
			t.Errorf("%+v", got)
		}
		if stats := w.expo.Stats(); len(stats.Refused) != 0 || stats.PeakSecond > 600 {
			t.Errorf("%+v", stats)
		}
		if took := time.Since(began); took > delay+4*time.Second {
			t.Errorf("it took %v, which is one project after the other", took)
		}
	})
}

func interleave(users []string) (mixed []string) {
	half := len(users) / 2
	for i := range half {
		mixed = append(mixed, users[i], users[half+i])
	}
	return mixed
}

// After MessageRateExceeded in a ticket or a receipt, the message is retried slowly, and
// finally counted. No other user waits for it.
func TestTooFast(t *testing.T) {
	t.Parallel()
	for _, later := range []bool{false, true} {
		for _, times := range []int{1, mostSlow, mostSlow + 1} {
			t.Run(fmt.Sprint(later, times), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var sends []time.Time
					w := newWorld(t, fakeexpo.Options{Fault: func(r fakeexpo.Request) fakeexpo.Fault {
						if r.Send && r.Size == 5 {
							sends = append(sends, time.Now())
						}
						return fakeexpo.Fault{}
					}})
					w.add(300, app, "p")
					fast := fakeexpo.Phone{Project: "@acme/fast"}
					answer := fakeexpo.Answer{Code: "MessageRateExceeded", Times: times}
					if later {
						fast.Receipt = answer
					} else {
						fast.Ticket = answer
					}
					w.add(5, fast, "")
					w.o.Workers = 1
					got, want := w.finish(), outbox.Counts{Users: 305, Planned: 305, Accepted: 305, Delivered: 305}
					if times > mostSlow {
						want.Delivered, want.Failed = 300, map[string]int{"MessageRateExceeded": 5}
						if !later {
							want.Accepted = 300
						}
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
					if len(sends) != min(times, mostSlow)+1 {
						t.Fatalf("sent %d times: %v", len(sends), sends)
					}
					for i := 1; i < len(sends); i++ {
						if wait := sends[i].Sub(sends[i-1]); wait < slowWait<<(i-1) || wait > 2*slowWait<<(i-1)+2*delay {
							t.Errorf("repeat %d comes after %v", i, wait)
						}
					}
				})
			})
		}
	}
}

// The number of concurrent requests does not exceed the setting.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var underWay, most atomic.Int64
		w := newWorld(t, fakeexpo.Options{PerSecond: 1 << 30, Fault: func(r fakeexpo.Request) fakeexpo.Fault {
			if n := underWay.Add(1); r.Send && n > most.Load() {
				most.Store(n)
			}
			time.Sleep(20 * time.Second)
			underWay.Add(-1)
			return fakeexpo.Fault{}
		}})
		w.add(1500, app, "p")
		w.o.PerSecond, w.o.Workers = 6000, 4
		if got := w.finish(); got.Delivered != 1500 {
			t.Errorf("%+v", got)
		}
		if most.Load() != 4 {
			t.Errorf("%d requests at once, want 4", most.Load())
		}
	})
}
