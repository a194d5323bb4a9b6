package page

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A desk is a console and the store behind it.
type desk struct {
	t       *testing.T
	watched *Watched
	console *Console
	log     *bytes.Buffer
}

func newDesk(t *testing.T, change func(*Options)) *desk {
	t.Helper()
	s := memstore.MustNew(store.Policy{MaxDevices: 2})
	d := &desk{t: t, watched: Watch(s), log: &bytes.Buffer{}}
	o := Options{Name: "memory", Store: d.watched, Walker: s, Events: d.watched, Logger: slog.New(slog.NewTextHandler(d.log, nil))}
	if change != nil {
		change(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	d.console = NewConsole(ctx, o)
	return d
}

func (d *desk) register(user, device, token string) {
	d.t.Helper()
	_, err := d.watched.Register(d.t.Context(), tokens.Request{
		Key: tokens.Key{UserID: tokens.UserID(user), DeviceID: tokens.DeviceID(device)}, Token: tokens.MustParseToken(token), Platform: tokens.IOS,
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// says makes a request of a browser that has the key, checks the status and the texts
// of the answer, and returns its body.
func (d *desk) says(method, path, body string, status int, texts ...string) string {
	d.t.Helper()
	w := call(d.console, method, path, body, "Cookie", "console-8080="+d.console.key, "Content-Type", "application/x-www-form-urlencoded")
	if w.Code != status {
		d.t.Errorf("%s: status is %d, want %d", method, w.Code, status)
	}
	for _, text := range texts {
		if !strings.Contains(w.Body.String(), text) {
			d.t.Errorf("%s %s does not say %q:\n%s", method, path, text, w.Body)
		}
	}
	return w.Body.String()
}

func TestWhoIsAdmitted(t *testing.T) {
	d := newDesk(t, nil)
	key := "/console?key=" + d.console.key
	cookie := []string{"Cookie", "console-8080=" + d.console.key}
	const elsewhere = "192.0.2.1:1234"
	answers(t, d.console, d.console.key, []exchange{
		{"the address that was printed", "GET", key, "", nil, 303},
		{"afterwards", "GET", "/console", "", cookie, 200},
		{"through a tunnel", "GET", key, "", []string{"Host", "localhost:9999"}, 303},
		{"without a key", "GET", "/console", "", nil, 403},
		{"another key", "GET", "/console?key=AAAAAAAAAAAAAAAAAAAAAAAAAA", "", nil, 403},
		{"an empty key", "GET", "/console?key=", "", []string{"Cookie", "console-8080="}, 403},
		{"a key for an action", "POST", "/console/count?key=" + d.console.key, "", nil, 403},
		{"the cookie of another console", "GET", "/console", "", []string{"Cookie", "console-8081=" + d.console.key}, 403},
		{"another machine", "GET", key, "", []string{"Remote", elsewhere}, 403},
		{"another machine, with cookie", "GET", "/console", "", append(cookie, "Remote", elsewhere), 403},
		{"rebound", "GET", key, "", []string{"Host", "rebound.example:8080"}, 421},
		{"a form of another site", "POST", "/console/count", "", append(cookie, "Origin", "https://elsewhere.example"), 403},
		{"a change, read-only", "POST", "/console/change", "", cookie, 404},
		{"a token in a URL", "GET", "/console/holder?token=x", "", cookie, 405},
	})
	if call(d.console, "GET", key, "").Header().Get("Set-Cookie") != cookie[1]+"; Path=/console; HttpOnly; SameSite=Strict" {
		t.Error("the cookie has another name or other attributes")
	}
	remote := newDesk(t, func(o *Options) { o.Remote = true })
	answers(t, remote.console, "", []exchange{{"with Remote, another machine", "GET", remote.console.Path(), "", []string{"Remote", elsewhere}, 303}})
}

func TestWhyNot(t *testing.T) {
	d := newDesk(t, func(o *Options) { o.AllowChanges = true })
	user := func(name string, texts ...string) {
		t.Helper()
		d.says("GET", "/console/user?user="+name, "", 200, texts...)
	}
	user("alice", "alice is not reached: nothing is stored")
	d.register("alice", "phone", phone1)
	user("alice", "alice is reached on 1 of 1 devices", "Reached. The app last started", "Token(")
	d.register("bob", "phone", phone1)
	user("alice", "alice is reached on 0 of 1 devices", "Not reached since", "moved to another user, who logged in on the device")
	d.register("alice", "phone", phone2)
	user("alice", "reached on 1 of 1")
	d.says("POST", "/console/holder", "token="+url.QueryEscape(phone1), 200, "The token is held by bob.", "Reached.")
	d.says("POST", "/console/holder", "token="+url.QueryEscape(phone3), 200, "No live registration holds this token")
	if body := d.says("POST", "/console/holder", "token=secret", 400, "no Expo push token"); strings.Contains(body, "secret") {
		t.Error("the answer repeats the token")
	}
	d.says("GET", "/console/user?user=", "", 400, "The store answered")

	d.says("POST", "/console/change", "do=deactivate&user=alice&device=phone", 303)
	user("alice", "the user logged out on this device, since")
	d.says("POST", "/console/change", "do=erase&user=alice&device=phone", 303)
	user("alice", "reached on 0 of 1", "erased")
	d.says("POST", "/console/change", "do=erase-user&user=bob", 303)
	user("bob", "nothing is stored")
	d.says("POST", "/console/change", "do=nothing&user=bob", 404)
	d.says("POST", "/console/change", "do=erase&user=bob&device=", 400, "The store answered")
	for _, want := range []string{"change=deactivate user=alice device=phone outcome=ok", "change=erase user=alice", "change=erase-user user=bob", "outcome=invalid"} {
		if !strings.Contains(d.log.String(), want) {
			t.Errorf("log lacks %q:\n%s", want, d.log)
		}
	}
}

// A failing store answers reads with an error.
type failing struct {
	store.Store
	err error
}

func (f failing) Holder(context.Context, tokens.Hash) (tokens.Registration, error) {
	return tokens.Registration{}, f.err
}

func (f failing) List(context.Context, tokens.UserID) ([]tokens.Registration, error) {
	return nil, f.err
}

func TestFailingStore(t *testing.T) {
	for _, tc := range []struct {
		err    error
		status int
		says   string
	}{
		{&store.CorruptError{Key: tokens.Key{UserID: "alice", DeviceID: "phone"}, Err: errors.New("platform")}, 200, "what is stored cannot be read"},
		{store.ErrTryAgain, 400, "The store answered"},
	} {
		d := newDesk(t, func(o *Options) { o.Store, o.Events = failing{o.Store, tc.err}, nil })
		d.says("POST", "/console/holder", "token="+url.QueryEscape(phone1), tc.status, tc.says)
		demo := Demo(http.NotFoundHandler(), failing{err: tc.err}, d.console)
		if w := call(demo, "POST", "/demo/send", `{"to":"alice"}`); w.Code != http.StatusServiceUnavailable {
			t.Errorf("status of sending is %d", w.Code)
		}
		if w := call(demo, "GET", "/console", ""); w.Code != http.StatusForbidden {
			t.Errorf("status of the console without a key is %d", w.Code)
		}
	}
}

// TestNothingShownThatShouldNotBe crawls the console over hostile ids.
func TestNothingShownThatShouldNotBe(t *testing.T) {
	d := newDesk(t, func(o *Options) { o.AllowChanges = true })
	const hostile, hidden = `<script>alert(1)</script>"'`, "a\u202eb\u200b"
	d.register(hostile, hidden, phone1)
	d.register(hidden, hostile, phone2)
	d.console.walk()
	for _, page := range []string{
		d.says("GET", "/console", "", 200, `a\u202eb\u200b`, "&lt;script&gt;", "2 registrations, counted"),
		d.says("GET", "/console/user?user="+url.QueryEscape(hostile), "", 200, `a\u202eb\u200b`, "&lt;script&gt;"),
		d.says("GET", "/console/user?user="+url.QueryEscape(hidden), "", 200, `a\u202eb\u200b`, "&lt;script&gt;"),
	} {
		if strings.Contains(page, "11111") || strings.Contains(page, "22222") || strings.Contains(page, "<script>alert") {
			t.Error("a page has a token, or an id that is not escaped")
		}
		// In values of forms, which have to be exact, the characters stay.
		shown := strings.NewReplacer(`value="`+hidden+`"`, "").Replace(page)
		if strings.ContainsAny(shown, "\u202e\u200b") {
			t.Errorf("a page shows a hidden character as it is:\n%s", shown)
		}
	}
	if strings.Contains(d.log.String(), "PushToken[") {
		t.Error("the log has a token in it")
	}
}

// TestTotals counts more than a page at a limited rate, and shows how far it is.
func TestTotals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, func(o *Options) { o.Rate = 100 })
		for i := range 250 {
			d.register(fmt.Sprint("user-", i), "phone", fmt.Sprintf("ExponentPushToken[%022d]", i))
		}
		d.says("GET", "/console", "", 200, "Count", "at most 100 rows a second")
		began := time.Now()
		d.says("POST", "/console/count", "", 303)
		d.says("POST", "/console/count", "", 303) // one at a time
		time.Sleep(1200 * time.Millisecond)
		synctest.Wait()
		d.says("GET", "/console", "", 200, `<b id="progress">200</b>`)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		page := d.says("GET", "/console", "", 200, "250 registrations, counted from", "Count again", ">active<", ">250<", "Latest registrations")
		if n := strings.Count(page, "<rect"); n != weeks {
			t.Errorf("the histogram has %d bars", n)
		}
		if t0 := d.console.Totals; t0.At.Sub(began) < time.Second || t0.From.Before(began) || len(t0.Latest) != 20 {
			t.Errorf("totals are from %v to %v, with %d latest", t0.From, t0.At, len(t0.Latest))
		}
		d.console.Walker = broken{d.console.Walker}
		d.says("POST", "/console/count", "", 303)
		synctest.Wait()
		d.says("GET", "/console", "", 200, "The last count ended early: no answer", "250 registrations, counted from")
	})
}

type broken struct{ store.Walker }

func (broken) Page(context.Context, store.Cursor, int) ([]store.Record, store.Cursor, error) {
	return nil, "", errors.New("no answer")
}

// TestStatesAreCounted has registrations in each state and of several ages.
func TestStatesAreCounted(t *testing.T) {
	at := func(age time.Duration, status tokens.Status) store.Record {
		return recordOf(status, age*7*24*time.Hour)
	}
	all := &totals{counts: map[string]map[string]int{}}
	for _, r := range []store.Record{
		at(0, tokens.Active), at(0, tokens.Active), at(3, tokens.LoggedOut), at(12, tokens.DeviceNotRegistered),
		at(13, tokens.Active), {Err: errors.New("unreadable")},
	} {
		all.add(r, now)
	}
	want := []line{{"active", 2}, {"device_not_registered", 1}, {"expired", 1}, {"logout", 1}, {"unreadable", 1}}
	if diff := cmp.Diff(want, all.Lines("status")); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([weeks]int{0: 2, 3: 1, 12: 1}, all.ages); diff != "" {
		t.Errorf("ages (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(bar{N: 2, Y: 4, Height: 96}, all.Bars()[0]); diff != "" {
		t.Errorf("first bar (-want +got):\n%s", diff)
	}
}
