package sender

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
)

// The rate of each of two projects stays just under Expo's limit in every second, and
// nothing is refused.
func TestRate(t *testing.T) {
	t.Parallel()
	inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
		w.addTwo(1500, true)
		w.o.PageUsers = 200 // a batch of each project
		began, acknowledged := time.Now(), w.lastStep("acknowledged")
		w.finish()
		if stats := w.expo.Stats(); len(stats.Refused) != 0 || stats.PeakSecond > 600 {
			t.Errorf("%d in one second, and refused: %v", stats.PeakSecond, stats.Refused)
		}
		if rate := 1500 / acknowledged().Sub(began).Seconds(); rate < 0.88*600 {
			t.Errorf("%.0f a second, of 600", rate)
		}
	})
}

// A request that is delayed after it passed the gate, for example by a slow disk, does
// not exceed the rate of a later second.
func TestRateOfDelayedRequests(t *testing.T) {
	t.Parallel()
	inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
		w.add(3000, app, "p")
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
		if took := time.Since(began) - delay; took > 8*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// After MessageRateExceeded in a ticket or a receipt, the message is retried slowly, and
// finally counted. Messages of the same request that Expo accepted are not sent again.
func TestTooFast(t *testing.T) {
	t.Parallel()
	for _, later := range []bool{false, true} {
		for _, times := range []int{mostSlow, mostSlow + 1} {
			t.Run(fmt.Sprint(later, times), func(t *testing.T) {
				inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
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
					w.expect(want, w.finish())
					if len(sends) != min(times, mostSlow)+1 {
						t.Fatalf("sent %d times: %v", len(sends), sends)
					}
					for i := 1; i < len(sends); i++ {
						if wait := sends[i].Sub(sends[i-1]); wait < slowWait<<(i-1) || wait > 2*slowWait<<(i-1)+2*delay {
							t.Errorf("repeat %d comes after %v", i, wait)
						}
					}
					for i := range 95 {
						if n := w.expo.Received(spelling(i)); n != 1 {
							t.Errorf("%s got %d messages", user(i), n)
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
	inWorld(t, fakeexpo.Options{PerSecond: 1 << 30}, func(t *testing.T, w *world) {
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
		w.o.PerSecond, w.o.Workers = 6000, 4
		w.expect(outbox.Counts{Accepted: 900, Delivered: 900}, w.finish())
		if most.Load() != 4 {
			t.Errorf("%d requests at once, want 4", most.Load())
		}
	})
}
