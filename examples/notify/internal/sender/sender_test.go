package sender

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Each user gets the message once. Another run of the finished job sends nothing.
func TestEachUserOnce(t *testing.T) {
	t.Parallel()
	inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
		w.add(1234, app, "p")
		w.users = append(w.users, "has no device", "")
		began := time.Now()
		want := outbox.Counts{Users: 1235, NoDevice: 1, Planned: 1234, Accepted: 1234, Delivered: 1234}
		for run := range 2 {
			if diff := cmp.Diff(want, w.finish()); diff != "" {
				t.Errorf("run %d (-want +got):\n%s", run, diff)
			}
			if took := time.Since(began); took < delay || took > 2*delay {
				t.Errorf("it took %v with receipts after %v", took, delay)
			}
		}
		for i := range 1234 {
			if n := w.expo.Received(spelling(i)); n != 1 {
				t.Errorf("%s got %d messages", user(i), n)
			}
		}
		if stats := w.expo.Stats(); stats.Misrouted != 0 || len(stats.Refused) != 0 {
			t.Errorf("%+v", stats)
		}
	})
}

// Registrations without a project are split by the projects in Expo's refusal, or into
// halves if the refusal lists none.
func TestMixedProjects(t *testing.T) {
	t.Parallel()
	for _, vague := range []bool{false, true} {
		inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
			w.fault = func(fakeexpo.Request) fakeexpo.Fault { return fakeexpo.Fault{Vague: vague} }
			w.addTwo(65, false)
			w.add(65, fakeexpo.Phone{Project: "@acme/third"}, "third")
			w.expect(outbox.Counts{Accepted: 195, Delivered: 195}, w.finish())
			stats := w.expo.Stats()
			if n := stats.Refused["PUSH_TOO_MANY_EXPERIENCE_IDS"]; n < 1 || !vague && n > 2 || stats.Taken != 195 {
				t.Errorf("vague %v: %+v", vague, stats)
			}
		})
	}
}

// Temporary refusals are retried, and a user whose phone changed hands meanwhile gets no
// message on it.
func TestHandOverDuringBackoff(t *testing.T) {
	t.Parallel()
	for _, fault := range []fakeexpo.Fault{
		{Status: http.StatusTooManyRequests},
		{Status: http.StatusTooManyRequests, RetryAfter: 90 * time.Second},
		{Status: http.StatusInternalServerError},
		{Status: http.StatusServiceUnavailable, RetryAfter: 90 * time.Second},
	} {
		inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
			var refusedAt time.Time
			w.fault = func(r fakeexpo.Request) fakeexpo.Fault {
				if !r.Send || r.Number > 2 {
					if refusedAt.Add(fault.RetryAfter).After(time.Now()) {
						t.Errorf("%+v: back after %v", fault, time.Since(refusedAt))
					}
					return fakeexpo.Fault{}
				}
				refusedAt = time.Now()
				w.handOver(40 + r.Number)
				if err := w.registry.Deactivate(context.Background(), key(user(50))); err != nil {
					t.Error(err)
				}
				return fault
			}
			w.add(100, app, "p")
			w.o.TokenAge = time.Hour // a retry reads the token again in any case
			w.expect(outbox.Counts{Dropped: 3, Accepted: 97, Delivered: 97}, w.finish())
			if stats := w.expo.Stats(); stats.Misrouted != 0 || stats.Taken != 97 {
				t.Errorf("%+v: %+v", fault, stats)
			}
		})
	}
}

// Tokens that became too old in the queue are read again.
func TestTokenAge(t *testing.T) {
	t.Parallel()
	inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
		w.add(1000, app, "p")
		w.o.PerSecond = 10 // a batch every ten seconds
		time.AfterFunc(25*time.Second, func() {
			for i := range 1000 {
				w.handOver(i)
			}
		})
		got := w.finish()
		if wrong := w.expo.Stats().Misrouted; got.Accepted+got.Dropped != 1000 || got.Accepted > 300 || wrong != 0 {
			t.Errorf("%+v, %d reached another's phone", got, wrong)
		}
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
	inWorld(t, fakeexpo.Options{}, func(t *testing.T, w *world) {
		w.add(10, app, "p")
		w.through = func(r Registry) Registry { return listingFails{r} }
		if err := w.run(t.Context()); !errors.Is(err, ErrGaveUp) || !errors.Is(err, errAway) {
			t.Errorf("got %v, want ErrGaveUp and why", err)
		}
		if n := strings.Count(w.log.String(), "try again: no answer"); n != 10 {
			t.Errorf("the reason is logged %d times:\n%s", n, w.log.String())
		}
		w.through = nil
		w.expect(outbox.Counts{Accepted: 10, Delivered: 10}, w.finish())
	})
}
