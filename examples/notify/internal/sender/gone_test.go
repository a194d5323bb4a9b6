package sender

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/tokens"
)

// If too many answers report a device as gone, no run invalidates any device until the
// operator allows it.
func TestTooManyGone(t *testing.T) {
	t.Parallel()
	atOnce := fakeexpo.Phone{Project: "@acme/app", Ticket: fakeexpo.Gone}
	projectIDs := map[string]tokens.ProjectID{"@acme/app": "p", "@acme/other": "other"}
	later := fakeexpo.Phone{Project: "@acme/app", Receipt: fakeexpo.Gone}
	other := fakeexpo.Phone{Project: "@acme/other", Receipt: fakeexpo.Gone}
	for _, tc := range []struct {
		name        string
		fine        int // of @acme/app, on Android
		gone        map[*fakeexpo.Phone]int
		ios         bool    // those that are gone
		maxGone     float64 // 0 is the default
		invalidated bool
	}{
		{name: "a fifth", fine: 80, gone: map[*fakeexpo.Phone]int{&atOnce: 10, &later: 10}, invalidated: true},
		{name: "more at once", fine: 79, gone: map[*fakeexpo.Phone]int{&atOnce: 21}},
		{name: "more later", fine: 79, gone: map[*fakeexpo.Phone]int{&later: 21}},
		{name: "a fifth at once and a fifth later", fine: 60, gone: map[*fakeexpo.Phone]int{&atOnce: 20, &later: 20}},
		{name: "late ones of many", fine: 2300, gone: map[*fakeexpo.Phone]int{&later: 700}},
		{name: "all", gone: map[*fakeexpo.Phone]int{&later: 50}},
		{name: "all of a few", gone: map[*fakeexpo.Phone]int{&atOnce: 49}, invalidated: true},
		{name: "one project of two", fine: 900, gone: map[*fakeexpo.Phone]int{&other: 60}},
		{name: "one platform of two", fine: 900, gone: map[*fakeexpo.Phone]int{&later: 60}, ios: true},
		{name: "allowed", fine: 50, gone: map[*fakeexpo.Phone]int{&later: 50}, maxGone: 0.5, invalidated: true},
		{name: "all allowed", gone: map[*fakeexpo.Phone]int{&later: 100}, maxGone: 1, invalidated: true},
		{name: "what is allowed, which is no round number of bits", fine: 71, gone: map[*fakeexpo.Phone]int{&atOnce: 29}, maxGone: 0.29, invalidated: true},
		{name: "less allowed", fine: 90, gone: map[*fakeexpo.Phone]int{&later: 10}, maxGone: 0.05},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, fakeexpo.Options{})
				w.platform = tokens.Android
				w.add(tc.fine, app, "p")
				if tc.ios {
					w.platform = tokens.IOS
				}
				n := 0
				for phone, some := range tc.gone {
					w.add(some, *phone, projectIDs[phone.Project])
					n += some
				}
				time.Sleep(time.Hour)
				w.o.MaxGone = tc.maxGone
				for run := range 2 {
					err := w.run(t.Context())
					got := w.counts()
					if tc.invalidated != (err == nil) || tc.invalidated == errors.Is(err, ErrHeld) {
						t.Errorf("run %d: %v", run, err)
					}
					want := outbox.Counts{Users: tc.fine + n, Planned: tc.fine + n, Accepted: got.Accepted, Delivered: tc.fine, Unregistered: n}
					if tc.invalidated {
						want.Invalidated = n
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("run %d (-want +got):\n%s", run, diff)
					}
				}
				w.o.MaxGone = 1
				if got := w.finish(); got.Invalidated != n || w.expo.Stats().Taken != tc.fine+n {
					t.Errorf("when it was allowed: %+v", got)
				}
			})
		})
	}
}

// A receipt that never comes does not delay the invalidation of other devices.
func TestInvalidatedBeforeTheLastReceipt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fakeexpo.Options{})
		w.add(98, app, "p")
		gone, lost := app, app
		gone.Receipt, lost.Receipt.JSON = fakeexpo.Gone, "null"
		w.add(1, gone, "p")
		w.add(1, lost, "p")
		time.Sleep(time.Hour)
		var after time.Duration
		began := time.Now()
		w.o.step = func(at string) error {
			if at == "invalidated" {
				after = time.Since(began)
			}
			return nil
		}
		if got := w.finish(); got.NoReceipt != 1 || got.Invalidated != 1 {
			t.Errorf("%+v", got)
		}
		if after > 2*delay {
			t.Errorf("it was told after %v", after)
		}
	})
}
