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
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A world is a store, a fake Expo with phones, and a job for all of its users.
type world struct {
	t        *testing.T
	registry *memstore.Store
	through  func(Registry) Registry // wraps the registry for the job, if it is set
	expo     *fakeexpo.Server
	fault    func(fakeexpo.Request) fakeexpo.Fault // of the fake Expo, if it is set
	path     string                                // of the outbox
	users    []string
	platform tokens.Platform
	o        Options
	client   expo.Client
	log      bytes.Buffer
}

const delay = 15 * time.Minute // of receipts

// inWorld runs a test in a synctest bubble, with a network without sockets.
func inWorld(t *testing.T, o fakeexpo.Options, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			t: t, registry: memstore.MustNew(store.Policy{}), path: filepath.Join(t.TempDir(), "outbox"),
			o: Options{TokenAge: 5 * time.Second}, platform: tokens.IOS,
		}
		o.ReceiptDelay = delay / 2
		o.Fault = func(r fakeexpo.Request) (f fakeexpo.Fault) {
			if w.fault != nil {
				f = w.fault(r)
			}
			return f
		}
		w.expo = fakeexpo.New(o)
		w.client = expo.Client{URL: "http://expo.test" + fakeexpo.Path, Transport: direct{w.expo}}
		test(t, w)
	})
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
	goneAtOnce = fakeexpo.Phone{Project: "@acme/app", Ticket: fakeexpo.Gone}
	goneLater  = fakeexpo.Phone{Project: "@acme/app", Receipt: fakeexpo.Gone}
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
	w.t.Helper()
	if _, err := w.registry.Register(context.Background(), tokens.Request{
		Key: key(user), Token: tokens.MustParseToken(token), Platform: w.platform, ProjectID: project,
	}); err != nil {
		w.t.Error(err)
	}
}

// add adds n users with a phone each, and puts them on the list.
func (w *world) add(n int, phone fakeexpo.Phone, project tokens.ProjectID) {
	w.t.Helper()
	for range n {
		i := len(w.users)
		phone.User = user(i)
		w.expo.Set(spelling(i), phone)
		w.register(user(i), spelling(i), project)
		w.users = append(w.users, user(i))
	}
}

// addTwo adds n users of each of two projects, in turn.
func (w *world) addTwo(n int, named bool) {
	for range n {
		if named {
			w.add(1, app, "p")
			w.add(1, other, "other")
		} else {
			w.add(1, app, "")
			w.add(1, other, "")
		}
	}
}

// handOver gives user i's phone to a user who is not on the list.
func (w *world) handOver(i int) {
	w.expo.LogIn(spelling(i), "stranger")
	w.register("stranger", spelling(i), "p")
}

// lastStep returns a function that returns when the last run reached the step for the
// last time.
func (w *world) lastStep(name string) func() time.Time {
	var (
		mu   sync.Mutex
		last time.Time
	)
	w.o.step = func(at string) error {
		mu.Lock()
		defer mu.Unlock()
		if at == name {
			last = time.Now()
		}
		return nil
	}
	return func() time.Time { return last }
}

// open opens the outbox and passes it to use.
func (w *world) open(use func(box *outbox.Outbox) error) error {
	w.t.Helper()
	box, err := outbox.Open(w.path, []byte("job"), outbox.Options{NoSync: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return errors.Join(use(box), box.Close())
}

// run runs the job once, as a new process would.
func (w *world) run(ctx context.Context) error {
	w.t.Helper()
	w.o.Log = slog.New(slog.NewTextHandler(&w.log, nil))
	job := Job{
		Users:   strings.NewReader(strings.Join(w.users, "\n")),
		Content: expo.Content{Title: "Hello"},
		Data:    map[string]any{"screen": "home"},
	}
	registry := Registry(w.registry)
	if w.through != nil {
		registry = w.through(registry)
	}
	return w.open(func(box *outbox.Outbox) error { return New(registry, &w.client, box, job, w.o).Run(ctx) })
}

// finish runs the job, which must succeed, and returns its totals.
func (w *world) finish() outbox.Counts {
	w.t.Helper()
	if err := w.run(w.t.Context()); err != nil {
		w.t.Fatalf("%v\n%s", err, w.log.String())
	}
	if strings.Contains(w.log.String(), "PushToken[") || strings.Contains(w.log.String(), "user-") {
		w.t.Errorf("the log names a token or a user:\n%s", w.log.String())
	}
	counts, _, _ := w.totals()
	return counts
}

// totals returns the counts of the outbox, the messages that are not sent, by reason,
// and the number of receipts that are not fetched.
func (w *world) totals() (counts outbox.Counts, left map[string]int, waiting int) {
	w.t.Helper()
	if err := w.open(func(box *outbox.Outbox) (err error) {
		var err1, err2, err3 error
		counts, err1 = box.Counts()
		left, err2 = box.Left()
		waiting, err3 = box.Waiting()
		return errors.Join(err1, err2, err3)
	}); err != nil {
		w.t.Fatal(err)
	}
	return counts, left, waiting
}

// expect compares the counts of a job that has planned a message for each user.
func (w *world) expect(want, got outbox.Counts) {
	w.t.Helper()
	want.Users, want.Planned = len(w.users), len(w.users)
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// status returns the status of user i's registration.
func (w *world) status(i int) tokens.Status {
	w.t.Helper()
	registration, err := w.registry.Get(context.Background(), key(user(i)))
	if err != nil {
		w.t.Fatal(err)
	}
	return registration.Status
}
