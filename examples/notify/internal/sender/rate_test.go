package sender

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
)

// The rate of each project stays just under Expo's limit in every second, and nothing is
// refused. A request that is delayed after it passed the gate, for example by a slow disk,
// does not exceed the rate of a later second.
func TestRate(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		delay  time.Duration // of each fourth request
		within time.Duration
	}{
		"steady":  {0, 2850 * time.Millisecond}, // 88 % of the limit
		"delayed": {500 * time.Millisecond, 4 * time.Second},
	} {
		inWorld(t, name, func(w *world) {
			w.addTwo(1500, "p", "other")
			w.o.PageUsers = 200 // a batch of each project
			var written atomic.Int64
			w.o.step = func(at string) error {
				if at == "sending" && written.Add(1)%4 == 0 {
					time.Sleep(tc.delay)
				}
				return nil
			}
			began := time.Now()
			w.finish(outbox.Counts{Accepted: 3000, Delivered: 3000})
			if stats := w.expo.Stats(); len(stats.Refused) != 0 || stats.PeakSecond > 600 {
				w.Errorf("%d in one second, and refused: %v", stats.PeakSecond, stats.Refused)
			}
			if took := time.Since(began) - delay; took > tc.within {
				w.Errorf("it took %v", took)
			}
		})
	}
}

// After MessageRateExceeded in a ticket or a receipt, the message is retried slowly, and
// finally counted. Messages of the same request that Expo accepted are not sent again.
func TestTooFast(t *testing.T) {
	t.Parallel()
	for _, later := range []bool{false, true} {
		for _, times := range []int{mostSlow, mostSlow + 1} {
			inWorld(t, fmt.Sprint(later, times), func(w *world) {
				var sends []time.Time
				w.fault = func(r fakeexpo.Request) fakeexpo.Fault {
					if r.Send {
						sends = append(sends, time.Now())
					}
					return fakeexpo.Fault{}
				}
				fast, answer := app, fakeexpo.Answer{Code: "MessageRateExceeded", Times: times}
				want := outbox.Counts{Accepted: 100, Delivered: 100}
				if times > mostSlow {
					want.Delivered, want.Failed = 95, map[string]int{"MessageRateExceeded": 5}
				}
				if later {
					fast.Receipt = answer
				} else {
					fast.Ticket = answer
					want.Accepted = want.Delivered
				}
				w.add(95, app, "p")
				w.add(5, fast, "p")
				w.finish(want)
				if len(sends) != min(times, mostSlow)+1 {
					w.Fatalf("sent %d times: %v", len(sends), sends)
				}
				for i := 1; i < len(sends); i++ {
					if wait := sends[i].Sub(sends[i-1]); wait < slowWait<<(i-1) || wait > 2*slowWait<<(i-1)+2*delay {
						w.Errorf("repeat %d comes after %v", i, wait)
					}
				}
				w.receivedOnce(95)
			})
		}
	}
}

// The number of concurrent requests does not exceed the setting.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	inWorld(t, "", func(w *world) {
		var underWay, most atomic.Int64
		w.fault = func(r fakeexpo.Request) fakeexpo.Fault {
			if n := underWay.Add(1); r.Send && n > most.Load() {
				most.Store(n)
			}
			time.Sleep(20 * time.Second)
			underWay.Add(-1)
			return fakeexpo.Fault{}
		}
		w.add(900, app, "p")
		w.o.Workers = 4
		w.finish(outbox.Counts{Accepted: 900, Delivered: 900})
		if most.Load() != 4 {
			w.Errorf("%d requests at once, want 4", most.Load())
		}
	})
}
