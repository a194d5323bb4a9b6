// Package sidebyside makes the same random calls on memstore and another store. Few
// users, devices and tokens cause many conflicts. The clock moves forward by a
// millisecond to more than the TTL, and back by little. DynamoDB's TTL, or a purge,
// removes expired items at random. Every result must be equal, and in the end every
// stored row. memstore is the model, because it is the simplest.
//
// `make long` plays many more sequences than the tests do.
//
// The clock does not go back so far that an expired registration becomes live again,
// because a store may have removed it already.
package sidebyside

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// start is far ahead: DynamoDB Local removes expired items by its own clock.
var start = time.Date(2051, time.March, 4, 23, 6, 7, 891_234_567, time.UTC)

// The limit is small enough to be reached, and the TTL as short as it may be.
var policy = store.Policy{TTL: store.MinTTL, MaxDevices: 2}

// A Subject is an empty store that is compared with memstore.
type Subject struct {
	Store store.Store
	// Rows returns the stored live registrations in the form of [Row].
	Rows func(now time.Time) map[tokens.Key]map[string]string
	// Expired returns a function for each stored item that has expired, in a fixed
	// order, which removes the item: TTL or a purge may do so at any moment.
	Expired func(now time.Time) []func()
	Close   func()
}

// A machine is the two stores in one state.
type machine struct {
	model, real store.Store
	subject     Subject
	now         time.Time
	latest      time.Time   // of the clock
	expiries    []time.Time // of all registrations
	compared    *int        // answers
}

// Play plays random sequences of calls until one shows a difference, and reports it to
// tb. It calls open for each sequence, with the policy of both stores.
//
// It returns the number of answers that it compared.
func Play(tb rapid.TB, open func(rt *rapid.T, p store.Policy) Subject) (compared int) {
	rapid.Check(tb, func(t *rapid.T) {
		m := &machine{now: start, latest: start, compared: &compared}
		p := policy
		p.Now = func() time.Time { return m.now }
		m.model = memstore.MustNew(p)
		m.subject = open(t, p)
		m.real = m.subject.Store
		defer m.subject.Close()
		t.Repeat(map[string]func(*rapid.T){"step": m.act()})
		m.sameRows(t)
	})
	return compared
}

// same makes a call on both stores, seldom with an ended context, and compares the results.
func (m *machine) same(t *rapid.T, call func(context.Context, store.Store) (any, error)) (answer any, err error) {
	ctx := context.Background()
	if seldom(t, "context is done") {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		cancel()
	}
	return m.compare(ctx, t, call)
}

// compare fails unless the results of a call on both stores are equal.
func (m *machine) compare(ctx context.Context, t *rapid.T, call func(context.Context, store.Store) (any, error)) (answer any, err error) {
	want, wantErr := call(ctx, m.model)
	got, gotErr := call(ctx, m.real)
	if diff := cmp.Diff(describe(wantErr), describe(gotErr)); diff != "" {
		t.Fatalf("error %v, want %v (-want +got):\n%s", gotErr, wantErr, diff)
	}
	if diff := cmp.Diff(want, got, exactly); diff != "" && gotErr == nil {
		t.Fatalf("answer (-want +got):\n%s", diff)
	}
	*m.compared++
	return want, wantErr
}

// exactly distinguishes two spellings of a token, because a store must return the spelling
// that the app used last.
var exactly = cmp.Comparer(func(a, b tokens.Token) bool { return shape(a) == shape(b) && a.Equal(b) })

// describe returns the properties of an error that a caller can test.
func describe(err error) []string {
	if err == nil {
		return nil
	}
	var found []string
	for _, sentinel := range []error{store.ErrNotFound, store.ErrTryAgain, store.ErrMisconfigured, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, sentinel) {
			found = append(found, sentinel.Error())
		}
	}
	var invalid *tokens.InvalidError
	if errors.As(err, &invalid) {
		found = append(found, fmt.Sprint(invalid.Fields))
	}
	if len(found) == 0 {
		found = append(found, "something else: "+err.Error())
	}
	return found
}

func (m *machine) step(by time.Duration) {
	m.now = m.now.Add(by)
	if m.now.After(m.latest) {
		m.latest = m.now
	}
	for _, e := range m.expiries {
		if e.After(m.now) && !e.After(m.latest) {
			m.now = e // the registration stays expired
		}
	}
}

// sameRows compares the registration under each key in both stores, and the result of
// Holder for each token.
func (m *machine) sameRows(t *rapid.T) {
	ctx := context.Background()
	want := map[tokens.Key]map[string]string{}
	for _, user := range users[:len(users)-1] {
		for _, device := range devices[:len(devices)-1] {
			key := tokens.Key{UserID: user, DeviceID: device}
			reg, err := m.compare(ctx, t, func(ctx context.Context, s store.Store) (any, error) { return s.Get(ctx, key) })
			if err == nil {
				want[key] = Row(reg.(tokens.Registration))
			}
		}
	}
	if diff := cmp.Diff(want, m.subject.Rows(m.now)); diff != "" {
		t.Fatalf("rows (-memstore +other):\n%s", diff)
	}
	for n := range tokenCount {
		_, _ = m.compare(ctx, t, func(ctx context.Context, s store.Store) (any, error) { return s.Holder(ctx, spelled(n, 1).Hash()) })
	}
}

// Row returns a registration as attributes. It has the token's hash instead of the token,
// because a difference is printed.
func Row(r tokens.Registration) map[string]string {
	const milliseconds = "2006-01-02T15:04:05.000Z07:00"
	want := map[string]string{
		"expoPushToken": r.Token.String(), "spelling": shape(r.Token), "platform": string(r.Platform),
		"registeredAt": r.RegisteredAt.UTC().Format(milliseconds), "updatedAt": r.UpdatedAt.UTC().Format(milliseconds),
		"isActive": strconv.FormatBool(r.Active()), "expiresAt": strconv.FormatInt(r.ExpiresAt.Unix(), 10),
	}
	if r.ProjectID != "" {
		want["projectId"] = string(r.ProjectID)
	}
	if !r.Active() {
		want["inactiveReason"] = string(r.Status)
	}
	return want
}

func shape(t tokens.Token) string {
	before, _, bracketed := strings.Cut(t.Reveal(), "[")
	if !bracketed {
		return "bare"
	}
	return before
}
