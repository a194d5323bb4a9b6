package memstore_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestMemory limits the bytes that a registration takes with its strings, and
// the bytes that are left of it when it was erased: its places in the two maps.
func TestMemory(t *testing.T) {
	const n = 30_000
	stored, erased := memory(t, n)
	t.Logf("%d bytes a registration, %d when it was erased", stored/n, erased/n)
	if stored > 800*n {
		t.Errorf("%d bytes a registration, want at most 800", stored/n)
	}
	if erased > 200*n {
		t.Errorf("%d bytes left of each registration that was erased, want at most 200", erased/n)
	}
}

// TestTextIsCloned registers and imports devices whose texts are each part of a
// string of a megabyte, as of a request's body: the store keeps the part alone.
func TestTextIsCloned(t *testing.T) {
	const n = 50
	before := heap()
	s := memstore.MustNew(store.Policy{})
	for i := range n {
		for _, token := range []int{i, i, n + i} { // created, refreshed, replaced
			req := benchRequest("registered", i, 0, token)
			req.Key = tokens.Key{UserID: cut(req.Key.UserID), DeviceID: cut(req.Key.DeviceID)}
			req.Platform, req.ProjectID = cut(req.Platform), cut(req.ProjectID)
			req.Token = tokens.MustParseToken(cut(req.Token.Reveal()))
			if err := register(s, req); err != nil {
				t.Fatal(err)
			}
		}
		for _, status := range []tokens.Status{tokens.Active, tokens.LoggedOut} { // the second is the status alone
			req := benchRequest("imported", i, 0, 2*n+i)
			outcome, err := s.Import(t.Context(), tokens.Registration{
				Key:      tokens.Key{UserID: cut(req.Key.UserID), DeviceID: cut(req.Key.DeviceID)},
				Platform: cut(req.Platform), ProjectID: cut(req.ProjectID), Status: cut(status),
				Token:        tokens.MustParseToken(cut(req.Token.Reveal())),
				RegisteredAt: imported, UpdatedAt: imported, ExpiresAt: imported.AddDate(100, 0, 0),
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

var imported = time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)

// cut returns the text as a part of a string of a megabyte.
func cut[T ~string](text T) T { return (text + T(strings.Repeat(" ", 1<<20)))[:len(text)] }

// BenchmarkReclaim reports the time of the call that finds a million
// registrations expired.
func BenchmarkReclaim(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		b.StopTimer()
		now := time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)
		s := memstore.MustNew(store.Policy{Now: func() time.Time { return now }})
		for i := range n {
			if err := register(s, benchRequest("user", i/2, i%2, i)); err != nil {
				b.Fatal(err)
			}
		}
		now = now.Add(store.DefaultTTL)
		b.StartTimer()
		if _, err := s.List(b.Context(), "nobody"); err != nil {
			b.Fatal(err)
		}
	}
}

// memory returns the bytes that n registrations take, two a user, and those that
// are left when all were erased.
func memory(tb testing.TB, n int) (stored, erased int) {
	tb.Helper()
	before := heap()
	s := memstore.MustNew(store.Policy{})
	for i := range n {
		if err := register(s, benchRequest("user", i/2, i%2, i)); err != nil {
			tb.Fatal(err)
		}
	}
	stored = heap() - before
	for i := range n / 2 {
		if err := s.DeleteUser(tb.Context(), benchRequest("user", i, 0, 0).Key.UserID); err != nil {
			tb.Fatal(err)
		}
	}
	erased = heap() - before
	runtime.KeepAlive(s)
	return stored, erased
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
