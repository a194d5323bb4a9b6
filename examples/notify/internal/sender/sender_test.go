package sender

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Each user gets the message once. Another run of the finished job sends nothing.
func TestEachUserOnce(t *testing.T) {
	t.Parallel()
	inWorld(t, "", func(w *world) {
		w.add(1234, app, "p")
		w.users = append(w.users, "has no device", "")
		began := time.Now()
		for range 2 {
			w.finish(outbox.Counts{Users: 1235, NoDevice: 1, Planned: 1234, Accepted: 1234, Delivered: 1234})
			if took := time.Since(began); took < delay || took > 2*delay {
				w.Errorf("it took %v with receipts after %v", took, delay)
			}
		}
		w.receivedOnce(1234)
		if refused := w.expo.Stats().Refused; len(refused) != 0 {
			w.Errorf("refused: %v", refused)
		}
	})
}

// Registrations without a project are split by the projects in Expo's refusal, or into
// halves if the refusal lists none.
func TestMixedProjects(t *testing.T) {
	t.Parallel()
	for _, vague := range []bool{false, true} {
		inWorld(t, fmt.Sprint(vague), func(w *world) {
			w.fail(fakeexpo.Fault{Vague: vague})
			w.addTwo(65, "", "")
			w.add(65, fakeexpo.Phone{Project: "@acme/third"}, "third")
			w.finish(outbox.Counts{Accepted: 195, Delivered: 195})
			w.took(195)
			if n := w.expo.Stats().Refused["PUSH_TOO_MANY_EXPERIENCE_IDS"]; n < 1 || !vague && n > 2 {
				w.Errorf("refused %d times", n)
			}
		})
	}
}

// Temporary refusals are retried, and a user whose phone changed hands meanwhile gets no
// message on it.
func TestHandOverDuringBackoff(t *testing.T) {
	t.Parallel()
	for _, fault := range []fakeexpo.Fault{{Status: http.StatusInternalServerError}, {Status: http.StatusTooManyRequests, RetryAfter: 90 * time.Second}} {
		inWorld(t, fmt.Sprint(fault.Status), func(w *world) {
			var refusedAt time.Time
			w.fault = func(r fakeexpo.Request) fakeexpo.Fault {
				if !r.Send || r.Number > 2 {
					if refusedAt.Add(fault.RetryAfter).After(time.Now()) {
						w.Errorf("back after %v", time.Since(refusedAt))
					}
					return fakeexpo.Fault{}
				}
				refusedAt = time.Now()
				w.handOver(40 + r.Number)
				if err := w.registry.Deactivate(context.Background(), key(user(50))); err != nil {
					w.Error(err)
				}
				return fault
			}
			w.add(100, app, "p")
			w.o.TokenAge = time.Hour // a retry reads the token again in any case
			w.finish(outbox.Counts{Dropped: 3, Accepted: 97, Delivered: 97})
			w.took(97)
		})
	}
}

// Tokens that became too old in the queue are read again.
func TestTokenAge(t *testing.T) {
	t.Parallel()
	inWorld(t, "", func(w *world) {
		w.add(1000, app, "p")
		w.o.PerSecond = 10 // a batch every ten seconds
		time.AfterFunc(25*time.Second, func() {
			for i := range 1000 {
				w.handOver(i)
			}
		})
		w.finish(outbox.Counts{Accepted: 300, Delivered: 300, Dropped: 700})
	})
}

// listingFails is a registry whose List fails temporarily.
type listingFails struct{ Registry }

var errAway = fmt.Errorf("%w: no answer", store.ErrTryAgain)

func (listingFails) List(context.Context, tokens.UserID) ([]tokens.Registration, error) {
	return nil, errAway
}

// Failing calls of the registry are retried, logged, and finally returned as the reason.
func TestRegistryAway(t *testing.T) {
	t.Parallel()
	inWorld(t, "", func(w *world) {
		w.add(10, app, "p")
		w.through = listingFails{w.registry}
		if err := w.run(w.Context()); !errors.Is(err, ErrGaveUp) || !errors.Is(err, errAway) {
			w.Errorf("got %v, want ErrGaveUp and why", err)
		}
		if n := strings.Count(w.log.String(), "try again: no answer"); n != 10 {
			w.Errorf("the reason is logged %d times:\n%s", n, w.log.String())
		}
		w.through = w.registry
		w.finish(outbox.Counts{Accepted: 10, Delivered: 10})
	})
}
