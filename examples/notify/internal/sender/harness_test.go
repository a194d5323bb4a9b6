package sender

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A world is a test with a store, a fake Expo with phones, and a job for all of its users.
type world struct {
	*testing.T
	registry *memstore.Store
	through  Registry // the registry as the job sees it
	expo     *fakeexpo.Server
	fault    func(fakeexpo.Request) fakeexpo.Fault // of the fake Expo
	path     string                                // of the outbox
	users    []string
	platform tokens.Platform
	o        Options
	client   expo.Client
	log      bytes.Buffer
}

const delay = 15 * time.Minute // of receipts

// inWorld runs a test, or a subtest if it has a name, in a synctest bubble with a network
// without sockets.
func inWorld(t *testing.T, name string, test func(w *world)) {
	t.Helper()
	run := func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &world{
				T: t, registry: memstore.MustNew(store.Policy{}), path: filepath.Join(t.TempDir(), "outbox"),
				o: Options{TokenAge: 5 * time.Second}, platform: tokens.IOS,
			}
			w.through = w.registry
			w.fail(fakeexpo.Fault{})
			w.expo = fakeexpo.New(fakeexpo.Options{
				ReceiptDelay: delay / 2, Fault: func(r fakeexpo.Request) fakeexpo.Fault { return w.fault(r) },
			})
			w.client = expo.Client{URL: "http://expo.test" + fakeexpo.Path, Transport: direct{w.expo}}
			test(w)
		})
	}
	if name == "" {
		run(t)
	} else {
		t.Run(name, run)
	}
}

// fail gives each further request the same fault.
func (w *world) fail(f fakeexpo.Fault) {
	w.fault = func(fakeexpo.Request) fakeexpo.Fault { return f }
}

// direct calls a handler without a network. A lost answer is an error.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			err = errors.New("connection lost")
		} else if p != nil {
			panic(p)
		}
	}()
	answer := httptest.NewRecorder()
	d.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// Phones of two projects. Registrations have the project ids "p" and "other", or none.
var (
	app        = fakeexpo.Phone{Project: "@acme/app"}
	other      = fakeexpo.Phone{Project: "@acme/other"}
	goneAtOnce = fakeexpo.Phone{Project: app.Project, Ticket: fakeexpo.Gone}
	goneLater  = fakeexpo.Phone{Project: app.Project, Receipt: fakeexpo.Gone}
)

// refused is a phone of app for which Expo refuses the whole request.
func refused(status int, code string) fakeexpo.Phone {
	return fakeexpo.Phone{Project: app.Project, Refused: fakeexpo.Refusal{Status: status, Code: code}}
}

func user(i int) string          { return fmt.Sprintf("user-%05d", i) }
func spelling(i int) string      { return fmt.Sprintf("ExponentPushToken[%05d]", i) }
func key(user string) tokens.Key { return tokens.Key{UserID: tokens.UserID(user), DeviceID: "phone"} }

// register logs a user in on the phone with that token.
func (w *world) register(user, token string, project tokens.ProjectID) {
	w.Helper()
	if _, err := w.registry.Register(context.Background(), tokens.Request{
		Key: key(user), Token: tokens.MustParseToken(token), Platform: w.platform, ProjectID: project,
	}); err != nil {
		w.Error(err)
	}
}

// add adds n users with a phone each, and puts them on the list.
func (w *world) add(n int, phone fakeexpo.Phone, project tokens.ProjectID) {
	w.Helper()
	for range n {
		i := len(w.users)
		phone.User = user(i)
		w.expo.Set(spelling(i), phone)
		w.register(user(i), spelling(i), project)
		w.users = append(w.users, user(i))
	}
}

// addTwo adds n users of each of two projects, in turn, with these project ids.
func (w *world) addTwo(n int, ofApp, ofOther tokens.ProjectID) {
	for range n {
		w.add(1, app, ofApp)
		w.add(1, other, ofOther)
	}
}

// handOver gives user i's phone to a user who is not on the list.
func (w *world) handOver(i int) {
	w.expo.LogIn(spelling(i), "stranger")
	w.register("stranger", spelling(i), "p")
}

// open opens the outbox and passes it to use.
func (w *world) open(use func(box *outbox.Outbox) error) error {
	w.Helper()
	box, err := outbox.Open(w.path, []byte("job"), outbox.Options{NoSync: true})
	if err != nil {
		w.Fatal(err)
	}
	return errors.Join(use(box), box.Close())
}

// run runs the job once, as a new process would.
func (w *world) run(ctx context.Context) error {
	w.Helper()
	w.o.Log = slog.New(slog.NewTextHandler(&w.log, nil))
	job := Job{
		Users:   strings.NewReader(strings.Join(w.users, "\n")),
		Content: expo.Content{Title: "Hello"},
		Data:    map[string]any{"screen": "home"},
	}
	return w.open(func(box *outbox.Outbox) error { return New(w.through, &w.client, box, job, w.o).Run(ctx) })
}

// finish runs the job, which must succeed, and compares its counts.
func (w *world) finish(want outbox.Counts) {
	w.Helper()
	if err := w.run(w.Context()); err != nil {
		w.Fatalf("%v\n%s", err, w.log.String())
	}
	if strings.Contains(w.log.String(), "PushToken[") || strings.Contains(w.log.String(), "user-") {
		w.Errorf("the log names a token or a user:\n%s", w.log.String())
	}
	w.expect(want, nil)
	if wrong := w.expo.Stats().Misrouted; wrong != 0 {
		w.Errorf("%d messages reached another user's phone", wrong)
	}
}

// leave runs the job, which must return an error that matches why, and compares its
// counts and the messages that are left, by reason.
func (w *world) leave(why error, want outbox.Counts, left map[string]int) {
	w.Helper()
	if err := w.run(w.Context()); !errors.Is(err, why) {
		w.Errorf("got %v, want %v", err, why)
	}
	w.expect(want, left)
}

// expect compares the counts of a job, by default one with a message for each user, and
// the messages that are left.
func (w *world) expect(want outbox.Counts, wantLeft map[string]int) {
	w.Helper()
	if want.Users == 0 {
		want.Users, want.Planned = len(w.users), len(w.users)
	}
	got, left, _ := w.totals()
	if diff := cmp.Diff(want, got) + cmp.Diff(wantLeft, left, cmpopts.EquateEmpty()); diff != "" {
		w.Errorf("counts and messages left (-want +got):\n%s", diff)
	}
}

// took checks the number of messages that Expo has accepted.
func (w *world) took(want int) {
	w.Helper()
	if stats := w.expo.Stats(); stats.Taken != want {
		w.Errorf("Expo took %d messages, want %d: %+v", stats.Taken, want, stats)
	}
}

// receivedOnce checks that each of the first n phones got one message.
func (w *world) receivedOnce(n int) {
	w.Helper()
	for i := range n {
		if got := w.expo.Received(spelling(i)); got != 1 {
			w.Errorf("%s got %d messages", user(i), got)
		}
	}
}

// totals returns the counts of the outbox, the messages that are not sent, by reason,
// and the number of receipts that are not fetched.
func (w *world) totals() (counts outbox.Counts, left map[string]int, waiting int) {
	w.Helper()
	if err := w.open(func(box *outbox.Outbox) (err error) {
		var err1, err2, err3 error
		counts, err1 = box.Counts()
		left, err2 = box.Left()
		waiting, err3 = box.Waiting()
		return errors.Join(err1, err2, err3)
	}); err != nil {
		w.Fatal(err)
	}
	return counts, left, waiting
}

// status returns the status of user i's registration.
func (w *world) status(i int) tokens.Status {
	w.Helper()
	registration, err := w.registry.Get(context.Background(), key(user(i)))
	if err != nil {
		w.Fatal(err)
	}
	return registration.Status
}
