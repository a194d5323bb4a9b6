package page

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var (
	now = time.Date(2026, time.November, 30, 12, 0, 0, 0, time.UTC)
	key = tokens.Key{UserID: "alice", DeviceID: "phone"}
)

// recordOf returns a record whose app started that long before now.
func recordOf(status tokens.Status, age time.Duration) store.Record {
	updated := now.Add(-age)
	return store.Record{Key: key, Registration: tokens.Registration{Key: key, Status: status, UpdatedAt: updated, ExpiresAt: updated.Add(store.DefaultTTL)}}
}

// TestWords has the words for each state.
func TestWords(t *testing.T) {
	const again = " It is reached again when the app starts with this user logged in."
	for name, tc := range map[string]struct {
		record store.Record
		events []event
		want   string
	}{
		"active":   {recordOf(tokens.Active, 3*time.Hour), nil, "Reached. The app last started 30 November 2026 09:00 UTC (3 hours ago)."},
		"just now": {recordOf(tokens.Active, 0), nil, "Reached. The app last started 30 November 2026 12:00 UTC (now)."},
		"logged out": {recordOf(tokens.LoggedOut, 24*time.Hour), nil,
			"Not reached: the user logged out on this device, some time after the app last started, 29 November 2026 12:00 UTC (1 day ago)." + again},
		"logged out, seen": {recordOf(tokens.LoggedOut, 24*time.Hour), []event{{At: now.Add(-time.Minute), What: loggedOut, Key: key}},
			"Not reached: the user logged out on this device, since 30 November 2026 11:59 UTC (1 minute ago)." + again},
		"gone": {recordOf(tokens.DeviceNotRegistered, 48*time.Hour), nil,
			"Not reached: Expo reported that the app was removed or its notifications were turned off, some time after the app last started, 28 November 2026 12:00 UTC (2 days ago)." + again},
		"of an older service": {store.Record{Key: key, Registration: tokens.Registration{Key: key, Status: tokens.Inactive}}, nil,
			"Not reached: an older service marked it inactive and did not say why, some time after the app last started, at an unknown time." + again},
		"expired": {recordOf(tokens.Active, 100*24*time.Hour), nil,
			"Not reached since 20 November 2026 12:00 UTC (10 days ago): the app last started 22 August 2026 12:00 UTC (100 days ago), and a registration expires." + again},
		"unreadable": {store.Record{Key: key, Err: &store.CorruptError{Key: key, Err: errors.New("platform is a number")}}, nil,
			"Not reached: what is stored cannot be read. It is repaired when the app starts with its user logged in. Since when is not known."},
	} {
		t.Run(name, func(t *testing.T) {
			d := deviceOf(tc.record, tc.events, now)
			if d.Words != tc.want || d.Reached != strings.HasPrefix(tc.want, "Reached") {
				t.Errorf("reached %t: %s\nwant %s", d.Reached, d.Words, tc.want)
			}
		})
	}
}

// TestRemoved: an event shows what was removed, unless a later event is of the device.
func TestRemoved(t *testing.T) {
	key := func(device tokens.DeviceID) tokens.Key { return tokens.Key{UserID: "alice", DeviceID: device} }
	events := []event{
		{At: now, What: erased, Key: key("c")},
		{At: now, What: registered, Key: key("b")},
		{At: now, What: evicted, Key: key("a")},
		{At: now, What: moved, Key: key("b")},
		{At: now, What: moved, Key: key("c")},
		{At: now, What: moved, Key: key("d")},
	}
	var got []string
	for _, d := range devicesOf([]store.Record{{Key: key("d"), Registration: tokens.Registration{Status: tokens.Active}}}, events, now) {
		got = append(got, string(d.Key.DeviceID)+": "+d.Words)
	}
	want := []string{
		"d: Reached. The app last started at an unknown time.",
		"c: Not reached since 30 November 2026 12:00 UTC (now): erased.",
		"a: Not reached since 30 November 2026 12:00 UTC (now): removed, because the user registered more devices than are allowed.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("devices (-want +got):\n%s", diff)
	}
}
