package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A fixture is a store with its clock, for one check.
type fixture struct {
	testing.TB
	Backend
	store  store.Store
	policy store.Policy // with its defaults
	clock  *clock
}

func newFixture(t testing.TB, b Backend, p store.Policy) *fixture {
	t.Helper()
	c := &clock{now: start}
	p.Now = c.Now
	withDefaults, err := p.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{TB: t, Backend: b, store: b.New(t, p), policy: withDefaults, clock: c}
}

func (f *fixture) must(err error, call string, args ...any) {
	f.Helper()
	if err != nil {
		f.Fatalf(call+": %v", append(args, err)...)
	}
}

func (f *fixture) register(req tokens.Request) store.Result {
	f.Helper()
	result, err := f.store.Register(f.Context(), req)
	f.must(err, "Register")
	return result
}

func (f *fixture) get(key tokens.Key) tokens.Registration {
	f.Helper()
	reg, err := f.store.Get(f.Context(), key)
	f.must(err, "Get of %v", key)
	return reg
}

func (f *fixture) holder(token tokens.Token) tokens.Registration {
	f.Helper()
	reg, err := f.store.Holder(f.Context(), token.Hash())
	f.must(err, "Holder")
	return reg
}

func (f *fixture) list(user tokens.UserID) []tokens.Registration {
	f.Helper()
	regs, err := f.store.List(f.Context(), user)
	f.must(err, "List of %v", user)
	return regs
}

func (f *fixture) deactivate(key tokens.Key) {
	f.Helper()
	f.must(f.store.Deactivate(f.Context(), key), "Deactivate of %v", key)
}

func (f *fixture) invalidate(key tokens.Key, token tokens.Token, sentAt time.Time) {
	f.Helper()
	f.must(f.store.Invalidate(f.Context(), key, token.Hash(), sentAt), "Invalidate of %v", key)
}

func (f *fixture) delete(key tokens.Key) {
	f.Helper()
	f.must(f.store.Delete(f.Context(), key), "Delete of %v", key)
}

func (f *fixture) deleteUser(user tokens.UserID) {
	f.Helper()
	f.must(f.store.DeleteUser(f.Context(), user), "DeleteUser of %v", user)
}

// wantStored fails unless Get, Holder and List return want.
func (f *fixture) wantStored(want tokens.Registration) {
	f.Helper()
	f.wantEqual("Get", want, f.get(want.Key))
	f.wantEqual("Holder", want, f.holder(want.Token))
	for _, reg := range f.list(want.Key.UserID) {
		if reg.Key != want.Key {
			continue
		}
		if !want.Active() {
			f.Errorf("List shows %v, which is inactive", want.Key)
		}
		f.wantEqual("List", want, reg)
		return
	}
	if want.Active() {
		f.Errorf("List does not show %v", want.Key)
	}
}

// wantUnchanged fails unless the store holds the registration of a Register at start.
func (f *fixture) wantUnchanged(req tokens.Request) {
	f.Helper()
	f.wantStored(f.registered(req, start, start))
}

func (f *fixture) wantStatus(want tokens.Status, req tokens.Request, registeredAt, updatedAt time.Time) {
	f.Helper()
	reg := f.registered(req, registeredAt, updatedAt)
	reg.Status = want
	f.wantStored(reg)
}

func (f *fixture) wantNone(key tokens.Key) {
	f.Helper()
	if reg, err := f.store.Get(f.Context(), key); !errors.Is(err, store.ErrNotFound) {
		f.Errorf("Get of %v: got %v and error %v, want ErrNotFound", key, reg, err)
	}
	for _, reg := range f.list(key.UserID) {
		if reg.Key == key {
			f.Errorf("List shows %v, which should not be there", key)
		}
	}
}

func (f *fixture) holds(req tokens.Request) bool {
	f.Helper()
	_, err := f.store.Get(f.Context(), req.Key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		f.Fatalf("Get of %v: %v", req.Key, err)
	}
	return err == nil
}

func (f *fixture) wantNoHolder(token tokens.Token) {
	f.Helper()
	if reg, err := f.store.Holder(f.Context(), token.Hash()); !errors.Is(err, store.ErrNotFound) {
		f.Errorf("Holder of %v: got %v and error %v, want ErrNotFound", token, reg, err)
	}
}

func (f *fixture) wantDevices(user tokens.UserID, want ...tokens.DeviceID) {
	f.Helper()
	var got []tokens.DeviceID
	for _, reg := range f.list(user) {
		got = append(got, reg.Key.DeviceID)
	}
	f.wantEqual("List of "+string(user), want, got)
}

func (f *fixture) wantEqual(what string, want, got any) {
	f.Helper()
	if diff := cmp.Diff(want, got, exactly); diff != "" {
		f.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// exactly tells apart two spellings of one token, and two zones at one time.
var exactly = cmp.Options{
	cmp.Comparer(func(a, b tokens.Token) bool { return a.Reveal() == b.Reveal() }),
	cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && a.Location() == b.Location() }),
}

// registered is the registration after req at updatedAt, if it began at registeredAt.
func (f *fixture) registered(req tokens.Request, registeredAt, updatedAt time.Time) tokens.Registration {
	return tokens.Registration{
		Key:          req.Key,
		Token:        req.Token,
		Platform:     req.Platform,
		ProjectID:    req.ProjectID,
		Status:       tokens.Active,
		RegisteredAt: registeredAt.UTC().Truncate(time.Millisecond),
		UpdatedAt:    updatedAt.UTC().Truncate(time.Millisecond),
		ExpiresAt:    time.Unix(updatedAt.Unix()+int64(f.policy.TTL/time.Second), 0).UTC(),
	}
}

// repeat makes the call until it does not return ErrTryAgain.
func repeat(ctx context.Context, call func(context.Context) error) (once bool, err error) {
	const attempts = 100
	for i := range attempts {
		if err = call(ctx); !errors.Is(err, store.ErrTryAgain) {
			return i == 0, err
		}
	}
	return false, err
}

// start is the first time of a check: not in UTC, and within a millisecond, so that a store
// that keeps either shows it. It is far ahead for databases that expire rows by their own
// clock.
var start = time.Date(2051, time.March, 4, 23, 6, 7, 891_234_567, time.FixedZone("", -5*3600))

// A clock stands still until a check moves it.
type clock struct {
	mu   sync.Mutex
	now  time.Time
	hook func() // called at each reading
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	now, hook := c.now, c.hook
	c.mu.Unlock()
	if hook != nil {
		hook()
	}
	return now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

func (c *clock) advance(d time.Duration) { c.set(c.Now().Add(d)) }

func (c *clock) onReading(hook func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hook = hook
}
