package memstore_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/store/storetest"
	"github.com/devicetokens/devicetokens/tokens"
)

func newStore(_ testing.TB, p store.Policy) store.Store { return memstore.MustNew(p) }

// backend has every optional interface.
var backend = storetest.Backend{
	New:       newStore,
	Inspector: true,
	Importer:  true,
	Walker:    walker,
}

// walker finds the store that a wrapper observes.
func walker(_ testing.TB, s store.Store) store.Walker {
	if w, ok := s.(interface{ Unwrap() store.Store }); ok {
		s = w.Unwrap()
	}
	return s.(*memstore.Store)
}

// TestContract also looks for tokens and user ids in all errors.
func TestContract(t *testing.T) {
	b := backend
	b.New = func(t testing.TB, p store.Policy) store.Store { return leak.Store(t, newStore(t, p), &leak.Trace{}) }
	storetest.Run(t, b)
}

// TestContractUnreclaimed tests a store that removes no expired row, because a row
// that was registered when the clock was far ahead is in front of them.
func TestContractUnreclaimed(t *testing.T) {
	b := backend
	b.New = func(t testing.TB, p store.Policy) store.Store {
		clock := p.Now
		ahead := func() time.Time { return clock().AddDate(100, 0, 0) }
		now := ahead
		p.Now = func() time.Time { return now() }
		s := memstore.MustNew(p)
		if err := register(s, device("ahead", 0, 0, -1)); err != nil {
			t.Fatal(err)
		}
		now = clock
		return s
	}
	b.Walker = func(t testing.TB, s store.Store) store.Walker { return withoutAhead{walker(t, s)} }
	storetest.Run(t, b)
}

// withoutAhead leaves out what TestContractUnreclaimed registers.
type withoutAhead struct{ store.Walker }

func (w withoutAhead) Page(ctx context.Context, from store.Cursor, limit int) ([]store.Record, store.Cursor, error) {
	records, next, err := w.Walker.Page(ctx, from, limit)
	return slices.DeleteFunc(records, func(r store.Record) bool { return r.Key == device("ahead", 0, 0, -1).Key }), next, err
}

func BenchmarkStore(b *testing.B) { storetest.Bench(b, storetest.Backend{New: newStore}) }

func device(prefix string, user, id, token int) tokens.Request {
	return tokens.Request{
		Key: tokens.Key{
			UserID:   tokens.UserID(fmt.Sprintf("%s-%030d", prefix, user)),
			DeviceID: tokens.DeviceID(fmt.Sprintf("device-%029d", id)),
		},
		Token:     tokens.MustParseToken(fmt.Sprintf("ExponentPushToken[%022d]", token)),
		Platform:  tokens.IOS,
		ProjectID: "@acme/app",
	}
}

func register(s store.Store, req tokens.Request) error {
	_, err := s.Register(context.Background(), req)
	return err
}

// TestMemory limits the bytes of a registration with its strings, and the bytes
// that are left of it in the two maps when it was erased.
func TestMemory(t *testing.T) {
	const n = 10_000
	before := heap()
	s := memstore.MustNew(store.Policy{})
	for i := range n {
		if err := register(s, device("user", i/2, i%2, i)); err != nil {
			t.Fatal(err)
		}
	}
	if stored := (heap() - before) / n; stored > 800 {
		t.Errorf("%d bytes a registration, want at most 800", stored)
	}
	for i := range n / 2 {
		if err := s.DeleteUser(t.Context(), device("user", i, 0, 0).Key.UserID); err != nil {
			t.Fatal(err)
		}
	}
	if left := (heap() - before) / n; left > 200 {
		t.Errorf("%d bytes left of each registration that was erased, want at most 200", left)
	}
	runtime.KeepAlive(s)
}

// TestTextIsCloned registers and imports devices whose texts are parts of larger
// strings, such as request bodies: the store does not keep those in memory.
func TestTextIsCloned(t *testing.T) {
	const n = 4
	before := heap()
	s := memstore.MustNew(store.Policy{})
	for i := range n {
		for _, token := range []int{i, i, n + i} { // created, refreshed, replaced
			req := device("registered", i, 0, token)
			req.Key = tokens.Key{UserID: cut(req.Key.UserID), DeviceID: cut(req.Key.DeviceID)}
			req.Platform, req.ProjectID = cut(req.Platform), cut(req.ProjectID)
			req.Token = tokens.MustParseToken(cut(req.Token.Reveal()))
			if err := register(s, req); err != nil {
				t.Fatal(err)
			}
		}
		for _, status := range []tokens.Status{tokens.Active, tokens.LoggedOut} { // the second is the status alone
			req := device("imported", i, 0, 2*n+i)
			outcome, err := s.Import(t.Context(), tokens.Registration{
				Key:      tokens.Key{UserID: cut(req.Key.UserID), DeviceID: cut(req.Key.DeviceID)},
				Platform: cut(req.Platform), ProjectID: cut(req.ProjectID), Status: cut(status),
				Token:        tokens.MustParseToken(cut(req.Token.Reveal())),
				RegisteredAt: day, UpdatedAt: day, ExpiresAt: day.AddDate(100, 0, 0),
			})
			if err != nil || outcome != store.Imported && outcome != store.ImportedStatus {
				t.Fatal(outcome, err)
			}
		}
	}
	if kept := heap() - before; kept > 1<<20 {
		t.Errorf("%d bytes are kept for %d registrations", kept, 2*n)
	}
	runtime.KeepAlive(s)
}

var day = time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)

// cut returns the text as a part of a string of a megabyte.
func cut[T ~string](text T) T { return (text + T(strings.Repeat(" ", 1<<20)))[:len(text)] }

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// A test sets the clock of its store, and waits for nothing.
func ExampleMustNew() {
	ctx := context.Background()
	now := time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)
	s := memstore.MustNew(store.Policy{Now: func() time.Time { return now }})

	key := tokens.Key{UserID: "alice", DeviceID: "phone"}
	result, err := s.Register(ctx, tokens.Request{
		Key:      key,
		Token:    tokens.MustParseToken("ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]"),
		Platform: tokens.IOS,
	})
	fmt.Println(result.Registration.ExpiresAt.Format(time.RFC3339), err)

	now = result.Registration.ExpiresAt
	_, err = s.Get(ctx, key)
	fmt.Println(err)
	// Output:
	// 2027-02-21T12:00:00Z <nil>
	// store: registration not found
}
