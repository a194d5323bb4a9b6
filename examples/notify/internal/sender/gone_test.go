package sender

import (
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/tokens"
)

// If too many answers report a device as gone, no run invalidates any device until the
// operator allows it.
func TestTooManyGone(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name                   string
		fine                   int     // of app, on Android
		atOnce, later, ofOther int     // gone
		ios                    bool    // those that are gone
		maxGone                float64 // 0 is the default
		invalidated            bool
	}{
		{name: "a fifth", fine: 80, atOnce: 10, later: 10, invalidated: true},
		{name: "more at once", fine: 79, atOnce: 21},
		{name: "more later", fine: 79, later: 21},
		{name: "a fifth at once and a fifth later", fine: 60, atOnce: 20, later: 20},
		{name: "later, in several requests", fine: 1000, later: 280},
		{name: "all", later: 50},
		{name: "all of a few", atOnce: 49, invalidated: true},
		{name: "one project of two", fine: 250, ofOther: 60},
		{name: "one platform of two", fine: 250, later: 60, ios: true},
		{name: "allowed", fine: 50, later: 50, maxGone: 0.5, invalidated: true},
		{name: "all allowed", later: 100, maxGone: 1, invalidated: true},
		{name: "allowed, and not a round number of bits", fine: 71, atOnce: 29, maxGone: 0.29, invalidated: true},
		{name: "less allowed", fine: 90, later: 10, maxGone: 0.05},
	} {
		inWorld(t, tc.name, func(w *world) {
			w.platform = tokens.Android
			w.add(tc.fine, app, "p")
			if tc.ios {
				w.platform = tokens.IOS
			}
			w.add(tc.atOnce, goneAtOnce, "p")
			w.add(tc.later, goneLater, "p")
			w.add(tc.ofOther, fakeexpo.Phone{Project: other.Project, Receipt: fakeexpo.Gone}, "other")
			gone := tc.atOnce + tc.later + tc.ofOther
			time.Sleep(time.Hour)
			w.o.MaxGone = tc.maxGone
			want := outbox.Counts{Accepted: len(w.users) - tc.atOnce, Delivered: tc.fine, Unregistered: gone}
			for range 2 {
				if tc.invalidated {
					want.Invalidated = gone
					w.finish(want)
				} else {
					w.leave(ErrHeld, want, nil)
				}
			}
			w.o.MaxGone, want.Invalidated = 1, gone
			w.finish(want)
			w.took(len(w.users))
		})
	}
}

// A phone that a ticket or a receipt reports as gone is invalidated, unless it was
// registered less than five minutes before the message, after it, or with another token.
func TestDeviceNotRegistered(t *testing.T) {
	t.Parallel()
	inWorld(t, "", func(w *world) {
		w.add(3, goneAtOnce, "p")
		w.add(4, goneLater, "p")
		w.add(100, app, "p")
		time.Sleep(time.Hour)
		w.register(user(1), spelling(1), "p") // just before
		time.AfterFunc(time.Minute, func() {
			w.register(user(4), spelling(4), "p") // after the message
			w.register(user(5), "ExponentPushToken[new]", "p")
			w.handOver(6)
		})
		w.finish(outbox.Counts{Accepted: 104, Delivered: 100, Unregistered: 7, Invalidated: 7})
		for i, isGone := range []bool{true, false, true, true, false, false} {
			if isGone != (w.status(i) == tokens.DeviceNotRegistered) {
				w.Errorf("user %d is %q", i, w.status(i))
			}
		}
		if r, err := w.registry.Get(w.Context(), key("stranger")); err != nil || !r.Active() {
			w.Errorf("the phone's new owner: %v, %v", r.Status, err)
		}
	})
}

// A receipt that never comes, or for which Expo always answers with an error, counts as
// missing. It does not delay the invalidation of other devices, and affects neither other
// receipts nor messages that are not sent yet.
func TestInvalidatedBeforeTheLastReceipt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		bad       fakeexpo.Phone
		perSecond float64
		within    time.Duration
	}{
		"never comes": {fakeexpo.Phone{Project: app.Project, Receipt: fakeexpo.Answer{JSON: "null"}}, DefaultPerSecond, 2 * delay},
		// With this rate, the last messages are sent after the first receipts.
		"5xx": {fakeexpo.Phone{Project: app.Project, RefusedLookup: fakeexpo.Refusal{Status: 500, Code: "INTERNAL_SERVER_ERROR"}}, 0.1, 3 * time.Hour},
	} {
		inWorld(t, name, func(w *world) {
			w.add(1, tc.bad, "p")
			w.add(199, app, "p")
			w.add(1, goneLater, "p")
			w.o.PageUsers, w.o.PerSecond = 100, tc.perSecond
			time.Sleep(time.Hour)
			began := time.Now()
			var invalidated time.Time
			w.o.step = func(at string) error {
				if at == "invalidated" {
					invalidated = time.Now()
				}
				return nil
			}
			w.finish(outbox.Counts{Accepted: 201, Delivered: 199, NoReceipt: 1, Unregistered: 1, Invalidated: 1})
			if after := invalidated.Sub(began); after > tc.within {
				w.Errorf("invalidated after %v", after)
			}
		})
	}
}
