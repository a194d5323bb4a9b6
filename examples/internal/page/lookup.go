package page

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/visible"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A view is the content of a page of the console.
type view struct {
	*Console
	User    string // of the search
	Answer  string // "" on the first page
	Bad     bool   // the answer is an error
	Devices []device
	Recent  []event
	progress
}

func (c *Console) show(w http.ResponseWriter, v view) {
	c.mu.Lock()
	v.Console, v.progress = c, c.progress
	c.mu.Unlock()
	v.Recent = c.Events.last(50)
	status := http.StatusOK
	if v.Bad {
		status = http.StatusBadRequest
	}
	show(w, status, "console.html", v)
}

// fail shows an error of the store, whose text contains no ids.
func (c *Console) fail(w http.ResponseWriter, v view, err error) {
	v.Bad, v.Answer = true, "The store answered: "+visible.Text(err.Error())
	c.show(w, v)
}

func (c *Console) user(w http.ResponseWriter, r *http.Request) {
	v := view{User: r.URL.Query().Get("user")}
	records, err := store.Inspect(r.Context(), c.Store, tokens.UserID(v.User))
	if err != nil {
		c.fail(w, v, err)
		return
	}
	events := slices.DeleteFunc(c.Events.last(maxEvents), func(e event) bool { return string(e.Key.UserID) != v.User })
	v.Devices = devicesOf(records, events, time.Now())
	reached := 0
	for _, d := range v.Devices {
		if d.Reached {
			reached++
		}
	}
	v.Answer = fmt.Sprintf("%s is reached on %d of %d devices.", visible.ID(v.User), reached, len(v.Devices))
	if len(v.Devices) == 0 {
		v.Answer = visible.ID(v.User) + " is not reached: nothing is stored. No device registered, or another user logged in on it since, or it expired."
	}
	c.show(w, v)
}

// holder shows who holds the token in the body of the request. No response and no log
// contains the token.
func (c *Console) holder(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	token, err := tokens.ParseToken(r.PostFormValue("token"))
	if err != nil {
		c.show(w, view{Bad: true, Answer: "That is no Expo push token, such as ExponentPushToken[…]."})
		return
	}
	reg, err := c.Store.Holder(r.Context(), token.Hash())
	var corrupt *store.CorruptError
	record := store.Record{Key: reg.Key, Registration: reg}
	switch {
	case errors.Is(err, store.ErrNotFound):
		c.show(w, view{Answer: "No live registration holds this token: messages to it reach no user of the app."})
		return
	case errors.As(err, &corrupt):
		record = store.Record{Key: corrupt.Key, Err: err}
	case err != nil:
		c.fail(w, view{}, err)
		return
	}
	c.show(w, view{
		User: string(record.Key.UserID), Answer: "The token is held by " + visible.ID(record.Key.UserID) + ".",
		Devices: []device{deviceOf(record, c.Events.last(maxEvents), time.Now())},
	})
}

// change makes and logs a change that the operator confirmed on the page.
func (c *Console) change(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	do := r.PostFormValue("do")
	key := tokens.Key{UserID: tokens.UserID(r.PostFormValue("user")), DeviceID: tokens.DeviceID(r.PostFormValue("device"))}
	var err error
	switch do {
	case "deactivate":
		err = c.Store.Deactivate(r.Context(), key)
	case "erase":
		err = c.Store.Delete(r.Context(), key)
	case "erase-user":
		err = c.Store.DeleteUser(r.Context(), key.UserID)
	default:
		http.NotFound(w, r)
		return
	}
	c.Logger.Info("an operator changed the store", "change", do, "user", visible.ID(key.UserID),
		"device", visible.ID(key.DeviceID), "outcome", store.OutcomeOf(err))
	if err != nil {
		c.fail(w, view{User: string(key.UserID)}, err)
		return
	}
	http.Redirect(w, r, "/console/user?user="+url.QueryEscape(string(key.UserID)), http.StatusSeeOther)
}

// A device is what the console shows of a device of a user.
type device struct {
	Key     tokens.Key
	Stored  bool // otherwise it is known from an event only
	Reached bool
	Words   string // whether it is reached, and if not, why and since when
	Fault   string // why it is unreadable
	tokens.Registration
}

// devicesOf returns the devices of a user's records, and those that the events removed.
// The newest event is first.
func devicesOf(records []store.Record, events []event, now time.Time) []device {
	var devices []device
	for _, r := range records {
		devices = append(devices, deviceOf(r, events, now))
	}
	for i, e := range events {
		sooner := func(o event) bool {
			return o.Key == e.Key || o.What == erased && o.Key == tokens.Key{UserID: e.Key.UserID}
		}
		isStored := func(r store.Record) bool { return r.Key == e.Key }
		if !e.What.removes() || e.Key.DeviceID == "" || slices.ContainsFunc(records, isStored) || slices.ContainsFunc(events[:i], sooner) {
			continue
		}
		devices = append(devices, device{Key: e.Key, Words: fmt.Sprintf("Not reached since %s: %s.", when(e.At, now), e.What)})
	}
	return devices
}

func deviceOf(r store.Record, events []event, now time.Time) device {
	d := device{Key: r.Key, Stored: true, Registration: r.Registration}
	if r.Err != nil {
		d.Words = "Not reached: what is stored cannot be read. It is repaired when the app starts with its user logged in. Since when is not known."
		d.Fault = visible.Text(r.Err.Error())
		return d
	}
	since := func(what change) string {
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
		d.Words = "Not reached: the user logged out on this device, " + since(loggedOut) + "." + again
	case d.Status == tokens.DeviceNotRegistered:
		d.Words = "Not reached: Expo reported that the app was removed or its notifications were turned off, " + since(gone) + "." + again
	case !d.Active():
		d.Words = "Not reached: an older service marked it inactive and did not say why, " + since("") + "." + again
	default:
		d.Reached = true
		d.Words = fmt.Sprintf("Reached. The app last started %s.", when(d.UpdatedAt, now))
	}
	return d
}

func when(t, now time.Time) string {
	if t.IsZero() {
		return "at an unknown time"
	}
	ago := now.Sub(t)
	words := "%s ago"
	if ago < 0 {
		ago, words = -ago, "in %s"
	}
	distance := "now"
	for _, unit := range []struct {
		name string
		long time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		if n := int(ago / unit.long); n > 0 {
			distance = fmt.Sprintf(words, fmt.Sprintf("%d %s%s", n, unit.name, strings.Repeat("s", min(n-1, 1))))
			break
		}
	}
	return t.UTC().Format("2 January 2006 15:04 UTC") + " (" + distance + ")"
}
