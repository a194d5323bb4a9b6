package sender

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/tokens"
)

var errKilled = errors.New("killed")

// The steps of a run.
var steps = []string{"planned", "sending", "answered", "split", "acknowledged", "fetched", "received", "invalidated"}

// A killer ends a run when it reaches a step for the nth time: after that no goroutine
// does anything.
type killer struct {
	at string

	mu   sync.Mutex
	n    int
	lost bool // an answer that had arrived
}

func (k *killer) step(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if name == k.at {
		k.n--
	}
	if k.n > 0 {
		return nil
	}
	k.lost = k.lost || name == "answered"
	return errKilled
}

// killed reports whether the run reached that step.
func (k *killer) killed() bool { return k.n <= 0 }

// killedEverywhere calls test for each time that a run reaches each of its steps, up to a
// maximum. test reports whether the run reached it.
func killedEverywhere(t *testing.T, most int, test func(t *testing.T, at string, n int) bool) {
	for _, at := range steps {
		n, everCame := 0, false
		for came := true; came && n < most; {
			n++
			t.Run(fmt.Sprint(at, n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { came = test(t, at, n) })
			})
			everCame = everCame || came
		}
		if !everCame {
			t.Errorf("no run came to the step %q", at)
		}
	}
}

// crashWorld is a job in which everything happens that can happen.
func crashWorld(t *testing.T, o fakeexpo.Options) *world {
	w := newWorld(t, o)
	w.add(60, app, "p")
	gone := app
	gone.Ticket = fakeexpo.Gone
	w.add(1, gone, "p")
	gone = app
	gone.Receipt = fakeexpo.Gone
	w.add(1, gone, "p")
	w.add(5, app, "")
	w.add(5, fakeexpo.Phone{Project: "@acme/other"}, "")
	gone = app
	gone.Refused = fakeexpo.Refusal{Status: 403, Code: "UNAUTHORIZED"}
	w.add(1, gone, "p")
	gone = app
	gone.Receipt = fakeexpo.Answer{Code: "MessageRateExceeded", Times: 1}
	w.add(1, gone, "p")
	w.o.Workers, w.o.PageUsers = 1, 40
	time.Sleep(time.Hour) // a store invalidates only registrations that are older than the message
	return w
}

// Some of crashWorld's users, and the number of messages that Expo accepts: of 74, one is
// refused and one is sent twice.
const goneAtOnce, goneLater, refusedAlone, takenOfAll = 60, 61, 72, 74

// A job is killed at each of its steps in turn and continues. Users whose batch was
// answered by Expo but not yet recorded get the message twice, all others once.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	killedEverywhere(t, math.MaxInt, func(t *testing.T, at string, n int) bool {
		w := crashWorld(t, fakeexpo.Options{})
		k := &killer{at: at, n: n}
		w.o.step = k.step
		if err := w.run(t.Context()); !k.killed() {
			return false
		} else if !errors.Is(err, errKilled) {
			t.Fatalf("got %v, want it killed", err)
		}
		w.o.step = nil
		want := outbox.Counts{
			Users: 74, Planned: 74, Accepted: 72, Delivered: 71, Unregistered: 2, Invalidated: 2, Failed: map[string]int{"UNAUTHORIZED": 1},
		}
		if diff := cmp.Diff(want, w.finish()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		again := w.expo.Stats().Taken - takenOfAll
		if !k.lost && again != 0 || again > 100 {
			t.Errorf("%d were sent again", again)
		}
		for i := range w.users {
			if i == refusedAlone {
				continue
			}
			if i == goneAtOnce || i == goneLater {
				if w.status(i) != tokens.DeviceNotRegistered {
					t.Errorf("%s is %s", user(i), w.status(i))
				}
				continue
			}
			if n := w.expo.Received(spelling(i)); n < 1 || n > 1 && !k.lost {
				t.Errorf("%s was told %d times", user(i), n)
			}
		}
		return true
	})
}

// Between a kill and the next run, a third of the phones change hands. No message
// reaches another user, at whichever step the run was killed.
func TestHandOverBetweenKillAndResume(t *testing.T) {
	t.Parallel()
	killedEverywhere(t, 2, func(t *testing.T, at string, n int) bool {
		w := crashWorld(t, fakeexpo.Options{})
		k := &killer{at: at, n: n}
		w.o.step = k.step
		if _ = w.run(t.Context()); !k.killed() {
			return false
		}
		before := make([]int, 25)
		for i := range before {
			w.handOver(i)
			before[i] = w.expo.Received(spelling(i))
		}
		w.o.step = nil
		w.finish()
		if wrong := w.expo.Stats().Misrouted; wrong != 0 {
			t.Errorf("%d messages reached another's phone", wrong)
		}
		for i := range before {
			if now := w.expo.Received(spelling(i)); now != before[i] {
				t.Errorf("phone %d got %d messages after it had changed hands", i, now-before[i])
			}
		}
		return true
	})
}

// A lost answer looks the same as a lost request, so its batch is sent again, once.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := crashWorld(t, fakeexpo.Options{Fault: func(r fakeexpo.Request) fakeexpo.Fault {
			return fakeexpo.Fault{Lose: r.Number == 1}
		}})
		if got := w.finish(); got.Accepted != 72 || got.Delivered != 71 {
			t.Errorf("%+v", got)
		}
		if again := w.expo.Stats().Taken - takenOfAll; again < 1 || again > 100 {
			t.Errorf("%d were sent again", again)
		}
	})
}

// A run that is interrupted waits for the answers to its requests, so that nothing has to
// be sent again.
func TestStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := crashWorld(t, fakeexpo.Options{Fault: func(fakeexpo.Request) fakeexpo.Fault {
			stop()
			return fakeexpo.Fault{}
		}})
		if err := w.run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want it canceled", err)
		}
		if n := w.counts().Accepted; n != 40 {
			t.Errorf("%d were acknowledged, want the first batch", n)
		}
		if w.finish(); w.expo.Stats().Taken != takenOfAll {
			t.Errorf("%d were taken, want each once", w.expo.Stats().Taken)
		}
	})
}

// Receipts that Expo cannot return yet are fetched again.
func TestReceiptsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := crashWorld(t, fakeexpo.Options{Fault: func(r fakeexpo.Request) fakeexpo.Fault {
			if !r.Send && r.Number < 4 {
				return fakeexpo.Fault{Status: http.StatusTooManyRequests}
			}
			return fakeexpo.Fault{}
		}})
		if got := w.finish(); got.Delivered != 71 || got.Invalidated != 2 {
			t.Errorf("%+v", got)
		}
	})
}
