package sender

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var app = fakeexpo.Phone{Project: "@acme/app"}

func TestEverybodyOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fakeexpo.Options{})
		w.add(1234, app, "p")
		w.users = append(w.users, "has no device", "")
		began := time.Now()
		want := outbox.Counts{Users: 1235, NoDevice: 1, Planned: 1234, Accepted: 1234, Delivered: 1234}
		if diff := cmp.Diff(want, w.finish()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for i := range 1234 {
			if n := w.expo.Received(spelling(i)); n != 1 {
				t.Errorf("%s was told %d times", user(i), n)
			}
		}
		if stats := w.expo.Stats(); stats.Misrouted != 0 || len(stats.Refused) != 0 {
			t.Errorf("%+v", stats)
		}
		if took := time.Since(began); took < delay || took > 2*delay {
			t.Errorf("it took %v with receipts after %v", took, delay)
		}

		// The job is done, so another run sends nothing.
		if diff := cmp.Diff(want, w.finish()); diff != "" || w.expo.Stats().Taken != 1234 {
			t.Errorf("sent again (-want +got):\n%s", diff)
		}
	})
}

// Registrations without a project are split by the projects in Expo's refusal, or into
// halves if the refusal lists none.
func TestMixedProjects(t *testing.T) {
	t.Parallel()
	for _, vague := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, fakeexpo.Options{Fault: func(fakeexpo.Request) fakeexpo.Fault { return fakeexpo.Fault{Vague: vague} }})
			w.add(130, app, "")
			w.add(130, fakeexpo.Phone{Project: "@acme/other"}, "")
			w.add(130, fakeexpo.Phone{Project: "@acme/third"}, "third")
			got := w.finish()
			if got.Delivered != 390 || w.expo.Stats().Taken != 390 {
				t.Errorf("vague %v: %+v", vague, got)
			}
			if n := w.expo.Stats().Refused["PUSH_TOO_MANY_EXPERIENCE_IDS"]; n < 1 || !vague && n > 3 {
				t.Errorf("vague %v: refused %d times", vague, n)
			}
		})
	}
}

// A phone that a ticket or a receipt reports as gone is invalidated, unless it was
// registered less than five minutes before the message, after it, or with another token.
func TestDeviceNotRegistered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fakeexpo.Options{})
		w.add(200, app, "p")
		gone := app
		gone.Ticket = fakeexpo.Gone
		w.add(3, gone, "p") // 200, 201, 202
		gone = app
		gone.Receipt = fakeexpo.Gone
		w.add(4, gone, "p") // 203, 204, 205, 206
		time.Sleep(time.Hour)
		w.register(user(201), spelling(201), "p") // just before
		time.AfterFunc(time.Minute, func() {
			w.register(user(204), spelling(204), "p") // after the message
			w.register(user(205), "ExponentPushToken[new]", "p")
			w.handOver(206)
		})
		got := w.finish()
		want := outbox.Counts{Users: 207, Planned: 207, Accepted: 204, Delivered: 200, Unregistered: 7, Invalidated: 7}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for i := range 206 {
			want := tokens.Active
			if i == 200 || i == 202 || i == 203 {
				want = tokens.DeviceNotRegistered
			}
			if got := w.status(i); got != want {
				t.Errorf("user %d is %q, want %q", i, got, want)
			}
		}
		if r, err := w.registry.Get(t.Context(), key("stranger")); err != nil || !r.Active() {
			t.Errorf("the phone's new owner: %v, %v", r.Status, err)
		}
	})
}

// Temporary refusals are retried, and a user whose phone changed hands meanwhile gets no
// message on it.
func TestHandOverDuringBackoff(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fakeexpo.Fault{
		"429":                  {Status: http.StatusTooManyRequests},
		"429 with Retry-After": {Status: http.StatusTooManyRequests, RetryAfter: 90 * time.Second},
		"500":                  {Status: http.StatusInternalServerError},
		"503 with Retry-After": {Status: http.StatusServiceUnavailable, RetryAfter: 90 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			var w *world
			var refusedAt time.Time
			w = newWorld(t, fakeexpo.Options{Fault: func(r fakeexpo.Request) fakeexpo.Fault {
				if !r.Send || r.Number > 2 {
					if refusedAt.Add(fault.RetryAfter).After(time.Now()) {
						t.Errorf("%s: back after %v", name, time.Since(refusedAt))
					}
					return fakeexpo.Fault{}
				}
				refusedAt = time.Now()
				w.handOver(40 + r.Number)
				if err := w.registry.Deactivate(context.Background(), key(user(50))); err != nil {
					t.Error(err)
				}
				return fault
			}})
			w.add(100, app, "p")
			w.o.TokenAge = time.Hour // a retry reads the token again in any case
			got := w.finish()
			if got.Accepted != 97 || got.Dropped != 3 {
				t.Errorf("%s: %+v", name, got)
			}
			if stats := w.expo.Stats(); stats.Misrouted != 0 || stats.Taken != 97 {
				t.Errorf("%s: %+v", name, stats)
			}
		})
	}
}

// Tokens that became too old in the queue are read again.
func TestTokenAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fakeexpo.Options{})
		w.add(1000, app, "p")
		w.o.PerSecond = 10 // a batch every ten seconds
		time.AfterFunc(25*time.Second, func() {
			for i := range 1000 {
				w.handOver(i)
			}
		})
		got := w.finish()
		if got.Accepted+got.Dropped != 1000 || got.Accepted > 300 {
			t.Errorf("%+v", got)
		}
		if stats := w.expo.Stats(); stats.Misrouted != 0 {
			t.Errorf("%d messages reached another's phone", stats.Misrouted)
		}
	})
}

// After MessageRateExceeded only that phone's messages are delayed.
func TestMessageRateExceeded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fakeexpo.Options{})
		w.add(50, app, "p")
		slow := app
		slow.Ticket = fakeexpo.Answer{Code: "MessageRateExceeded", Times: 1}
		w.add(5, slow, "p")
		if got := w.finish(); got.Delivered != 55 || w.expo.Stats().Taken != 60 {
			t.Errorf("%+v", got)
		}
	})
}

func TestGivesUpAndGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := true
		w := newWorld(t, fakeexpo.Options{Fault: func(fakeexpo.Request) fakeexpo.Fault {
			if down {
				return fakeexpo.Fault{Status: http.StatusBadGateway}
			}
			return fakeexpo.Fault{}
		}})
		w.add(250, app, "p")
		if err := w.run(t.Context()); !errors.Is(err, ErrGaveUp) {
			t.Errorf("got %v, want ErrGaveUp", err)
		}
		down = false
		if got := w.finish(); got.Delivered != 250 || w.expo.Stats().Taken != 250 {
			t.Errorf("%+v", got)
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
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fakeexpo.Options{})
		w.add(10, app, "p")
		w.through = func(r Registry) Registry { return listingFails{r} }
		if err := w.run(t.Context()); !errors.Is(err, ErrGaveUp) || !errors.Is(err, errAway) {
			t.Errorf("got %v, want ErrGaveUp and why", err)
		}
		if n := strings.Count(w.log.String(), "try again: no answer"); n != 10 {
			t.Errorf("it says %d times why it waits:\n%s", n, w.log.String())
		}
		w.through = nil
		if got := w.finish(); got.Delivered != 10 {
			t.Errorf("%+v", got)
		}
	})
}

// A wrong access token costs few requests and loses no message.
func TestUnauthorized(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fakeexpo.Options{AccessToken: "secret"})
		w.add(5000, app, "p")
		w.o.PageUsers = 100
		err := w.run(t.Context())
		if n := w.expo.Stats().Refused["UNAUTHORIZED"]; !errors.Is(err, ErrRefused) || n > 30 {
			t.Errorf("got %v after %d requests", err, n)
		}
		if c := w.counts(); c.Planned > 2500 || c.Failed != nil {
			t.Errorf("%+v, with a list that is refused from its beginning", c)
		}
		w.client.AccessToken = "secret"
		if got := w.finish(); got.Delivered != 5000 {
			t.Errorf("%+v", got)
		}
	})
}
