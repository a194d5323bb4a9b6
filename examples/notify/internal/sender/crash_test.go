package sender

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/tokens"
)

var errKilled = errors.New("killed")

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

// killedEverywhere kills a run of everything for each time that it reaches each of its
// steps, up to a maximum, and calls test after each kill.
func killedEverywhere(t *testing.T, most int, test func(w *world, k *killer)) {
	for _, at := range []string{"planned", "sending", "answered", "split", "acknowledged", "fetched", "received", "invalidated"} {
		kills := 0
		for killed := true; killed && kills < most; {
			k := &killer{at: at, n: kills + 1}
			inWorld(t, fmt.Sprint(at, kills+1), func(w *world) {
				w.everything()
				w.o.step = k.step
				err := w.run(w.Context())
				if killed = k.n <= 0; !killed {
					return
				}
				if !errors.Is(err, errKilled) {
					w.Fatalf("got %v, want it killed", err)
				}
				kills++
				w.o.step = nil
				test(w, k)
			})
		}
		if kills == 0 {
			t.Errorf("no run came to the step %q", at)
		}
	}
}

// everything makes the world's job one in which each step is taken: of 54 messages, one
// is refused, two are for devices that are gone, and one is sent twice.
func (w *world) everything() {
	w.add(40, app, "p")
	w.add(1, goneAtOnce, "p")
	w.add(1, goneLater, "p")
	w.add(5, app, "")
	w.add(5, other, "")
	w.add(1, refused(http.StatusForbidden, "UNAUTHORIZED"), "p")
	w.add(1, fakeexpo.Phone{Project: app.Project, Receipt: fakeexpo.Answer{Code: "MessageRateExceeded", Times: 1}}, "p")
	w.o.Workers, w.o.PageUsers = 1, 30
	time.Sleep(time.Hour) // a store invalidates only registrations that are older than the message
}

// The counts of the job of everything, the messages that Expo accepts in it, and some of
// its users.
var everythingDone = outbox.Counts{Accepted: 52, Delivered: 51, Unregistered: 2, Invalidated: 2, Failed: map[string]int{"UNAUTHORIZED": 1}}

const takenOfEverything, firstGone, secondGone, refusedAlone = 54, 40, 41, 52

// A job is killed at each of its steps in turn and continues. Users whose batch was
// answered by Expo but not yet recorded get the message twice, all others once.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	killedEverywhere(t, math.MaxInt, func(w *world, k *killer) {
		w.finish(everythingDone)
		again := w.expo.Stats().Taken - takenOfEverything
		if !k.lost && again != 0 || again > 100 {
			w.Errorf("%d were sent again", again)
		}
		for i := range w.users {
			switch n := w.expo.Received(spelling(i)); {
			case i == refusedAlone:
			case i == firstGone, i == secondGone:
				if w.status(i) != tokens.DeviceNotRegistered {
					w.Errorf("%s is %s", user(i), w.status(i))
				}
			case n < 1, n > 1 && !k.lost:
				w.Errorf("%s got %d messages", user(i), n)
			}
		}
	})
}

// Between a kill and the next run, a third of the phones change hands. No message
// reaches another user, at whichever step the run was killed.
func TestHandOverBetweenKillAndResume(t *testing.T) {
	t.Parallel()
	killedEverywhere(t, 2, func(w *world, _ *killer) {
		for i := range 18 {
			w.handOver(i)
		}
		if err := w.run(w.Context()); err != nil || w.expo.Stats().Misrouted != 0 {
			w.Errorf("%v, and %d messages reached another's phone", err, w.expo.Stats().Misrouted)
		}
	})
}

// A lost answer looks the same as a lost request, so its batch is sent again, once.
// Receipts that Expo cannot return yet are fetched again.
func TestRequestsThatFail(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(fakeexpo.Request) fakeexpo.Fault{
		"lost answer": func(r fakeexpo.Request) fakeexpo.Fault { return fakeexpo.Fault{Lose: r.Send && r.Number == 1} },
		"receipts": func(r fakeexpo.Request) (f fakeexpo.Fault) {
			if !r.Send && r.Number < 4 {
				f.Status = http.StatusTooManyRequests
			}
			return f
		},
	} {
		inWorld(t, name, func(w *world) {
			w.everything()
			w.fault = fault
			w.finish(everythingDone)
			again := w.expo.Stats().Taken - takenOfEverything
			if isLost := name == "lost answer"; isLost != (again > 0) || again > 100 {
				w.Errorf("%d were sent again", again)
			}
		})
	}
}

// A run that is interrupted waits for the answers to its requests, so that nothing has to
// be sent again.
func TestStopped(t *testing.T) {
	t.Parallel()
	inWorld(t, "", func(w *world) {
		ctx, stop := context.WithCancel(w.Context())
		w.fault = func(fakeexpo.Request) fakeexpo.Fault {
			stop()
			return fakeexpo.Fault{}
		}
		w.everything()
		if err := w.run(ctx); !errors.Is(err, context.Canceled) {
			w.Errorf("got %v, want it canceled", err)
		}
		if counts, _, _ := w.totals(); counts.Accepted != 30 {
			w.Errorf("%d were acknowledged, want the first batch", counts.Accepted)
		}
		w.finish(everythingDone)
		w.took(takenOfEverything)
	})
}
