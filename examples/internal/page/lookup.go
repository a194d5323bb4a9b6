package page

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/visible"
	"github.com/devicetokens/devicetokens/examples/internal/watch"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A view is what a page of the console shows.
type view struct {
	*Console
	User    string // that was looked for
	Answer  string // to what was asked; "" on the first page
	Bad     bool   // the answer is an error
	Devices []device
	Recent  []watch.Event
	progress
}

// show writes the page.
func (c *Console) show(w http.ResponseWriter, v view) {
	c.mu.Lock()
	v.Console, v.progress = c, c.progress
	c.mu.Unlock()
	v.Recent = c.Events.Last(50)
	status := http.StatusOK
	if v.Bad {
		status = http.StatusBadRequest
	}
	show(w, status, "console.html", v)
}

// fail says what an error means. The texts of the stores have no ids in them.
func (c *Console) fail(w http.ResponseWriter, v view, err error) {
	v.Bad, v.Answer = true, "The store answered: "+visible.Text(err.Error())
	c.show(w, v)
}

// user answers whether a user is reached.
func (c *Console) user(w http.ResponseWriter, r *http.Request) {
	v := view{User: r.URL.Query().Get("user")}
	records, err := store.Inspect(r.Context(), c.Store, tokens.UserID(v.User))
	if err != nil {
		c.fail(w, v, err)
		return
	}
	events := slices.DeleteFunc(c.Events.Last(watch.MaxEvents), func(e watch.Event) bool { return string(e.Key.UserID) != v.User })
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

// holder answers whose a token is. The token is in the body of the request, and in
// nothing that is answered or logged.
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
		User: string(record.Key.UserID), Answer: "The token is held by " + visible.ID(string(record.Key.UserID)) + ".",
		Devices: []device{deviceOf(record, c.Events.Last(watch.MaxEvents), time.Now())},
	})
}

// change does what the operator confirmed in the page, and logs it.
func (c *Console) change(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	do, key := r.PostFormValue("do"), tokens.Key{UserID: tokens.UserID(r.PostFormValue("user")), DeviceID: tokens.DeviceID(r.PostFormValue("device"))}
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
	c.Logger.Info("an operator changed the store", "change", do, "user", visible.ID(string(key.UserID)),
		"device", visible.ID(string(key.DeviceID)), "outcome", store.OutcomeOf(err))
	if err != nil {
		c.fail(w, view{User: string(key.UserID)}, err)
		return
	}
	http.Redirect(w, r, "/console/user?user="+url.QueryEscape(string(key.UserID)), http.StatusSeeOther)
}
