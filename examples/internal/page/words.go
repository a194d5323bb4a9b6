package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/visible"
	"github.com/devicetokens/devicetokens/examples/internal/watch"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A device is what a person is told about a device of a user.
type device struct {
	Key     tokens.Key
	Stored  bool // or else it is known from an event only
	Reached bool
	Words   string // whether it is reached, and if not, why and since when
	Fault   string // why it is unreadable
	tokens.Registration
}

// devicesOf returns what to say of a user's records and of what was lately removed;
// events has the newest first.
func devicesOf(records []store.Record, events []watch.Event, now time.Time) []device {
	var devices []device
	for _, r := range records {
		devices = append(devices, deviceOf(r, events, now))
	}
	for i, e := range events {
		sooner := func(o watch.Event) bool {
			return o.Key == e.Key || o.What == watch.Erased && o.Key == tokens.Key{UserID: e.Key.UserID}
		}
		isStored := func(r store.Record) bool { return r.Key == e.Key }
		if !e.What.Removes() || e.Key.DeviceID == "" || slices.ContainsFunc(records, isStored) || slices.ContainsFunc(events[:i], sooner) {
			continue
		}
		devices = append(devices, device{Key: e.Key, Words: fmt.Sprintf("Not reached since %s: %s.", when(e.At, now), e.What)})
	}
	return devices
}

func deviceOf(r store.Record, events []watch.Event, now time.Time) device {
	d := device{Key: r.Key, Stored: true, Registration: r.Registration}
	if r.Err != nil {
		d.Words = "Not reached: what is stored cannot be read. It is repaired when the app starts with its user logged in. Since when is not known."
		d.Fault = visible.Text(r.Err.Error())
		return d
	}
	since := func(what watch.What) string {
		for _, e := range events {
			if e.Key == r.Key && e.What == what {
				return "since " + when(e.At, now)
			}
		}
		return "some time after the app last started, " + when(d.UpdatedAt, now)
	}
	const again = " It is reached again when the app starts with this user logged in."
	switch {
	case d.Expired(now):
		d.Words = fmt.Sprintf("Not reached since %s: the app last started %s, and a registration expires.", when(d.ExpiresAt, now), when(d.UpdatedAt, now)) + again
	case d.Status == tokens.LoggedOut:
		d.Words = "Not reached: the user logged out on this device, " + since(watch.LoggedOut) + "." + again
	case d.Status == tokens.DeviceNotRegistered:
		d.Words = "Not reached: Expo reported that the app was removed or its notifications were turned off, " + since(watch.Gone) + "." + again
	case !d.Active():
		d.Words = "Not reached: an older service marked it inactive and did not say why, " + since("") + "." + again
	default:
		d.Reached = true
		d.Words = fmt.Sprintf("Reached. The app last started %s.", when(d.UpdatedAt, now))
	}
	return d
}

// when returns a time as a person reads it out.
func when(t, now time.Time) string {
	if t.IsZero() {
		return "at an unknown time"
	}
	ago := now.Sub(t)
	words, format := "%s ago", "2 January 2006 15:04 UTC"
	if ago < 0 {
		ago, words = -ago, "in %s"
	}
	for _, unit := range []struct {
		name string
		long time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		if n := int(ago / unit.long); n > 0 {
			return t.UTC().Format(format) + " (" + fmt.Sprintf(words, fmt.Sprintf("%d %s", n, unit.name+strings.Repeat("s", min(n-1, 1)))) + ")"
		}
	}
	return t.UTC().Format(format) + " (now)"
}
