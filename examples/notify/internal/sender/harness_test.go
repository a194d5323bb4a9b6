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
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A world is a store, a fake Expo with phones, and a job for all of its users. It runs in
// a synctest bubble, with a network without sockets.
type world struct {
	t        *testing.T
	registry *memstore.Store
	through  func(Registry) Registry // wraps the registry for the job, if it is set
	expo     *fakeexpo.Server
	path     string // of the outbox
	users    []string
	platform tokens.Platform
	o        Options
	client   expo.Client
	log      bytes.Buffer
}

const delay = 15 * time.Minute // of receipts

func newWorld(t *testing.T, o fakeexpo.Options) *world {
	o.ReceiptDelay = delay / 2
	w := &world{
		t: t, registry: memstore.MustNew(store.Policy{}), expo: fakeexpo.New(o),
		path: filepath.Join(t.TempDir(), "outbox"),
		o:    Options{TokenAge: 5 * time.Second}, platform: tokens.IOS,
	}
	w.client = expo.Client{URL: "http://expo.test" + fakeexpo.Path, Transport: direct{w.expo}}
	return w
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

// handOver gives user i's phone to a user who is not on the list.
func (w *world) handOver(i int) {
	w.expo.LogIn(spelling(i), "stranger")
	w.register("stranger", spelling(i), "p")
}

// run runs the job once, as a new process would.
func (w *world) run(ctx context.Context) error {
	w.t.Helper()
	box, err := outbox.Open(w.path, []byte("job"), outbox.Options{NoSync: true})
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = box.Close() }()
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
	return New(registry, &w.client, box, job, w.o).Run(ctx)
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
	return w.counts()
}

func (w *world) counts() outbox.Counts {
	w.t.Helper()
	box, err := outbox.Open(w.path, []byte("job"), outbox.Options{NoSync: true})
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = box.Close() }()
	counts, err := box.Counts()
	if err != nil {
		w.t.Fatal(err)
	}
	return counts
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
