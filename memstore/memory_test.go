package memstore_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
)

// TestMemory holds the store to 800 bytes a registration, with its strings, also
// when nine tenths were erased, and to keeping nothing when all were.
func TestMemory(t *testing.T) {
	const n = 30_000
	all, tenth, none := memory(t, n)
	if all > 800*n {
		t.Errorf("%d bytes a registration, want at most 800", all/n)
	}
	if tenth > 800*n/10 {
		t.Errorf("%d bytes for each of a tenth, want at most 800", tenth/(n/10))
	}
	if none > 8*n {
		t.Errorf("%d bytes left of each registration that was erased", none/n)
	}
}

// BenchmarkReclaim reports the time of the call that finds a million
// registrations expired.
func BenchmarkReclaim(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		b.StopTimer()
		now := time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)
		s := memstore.New(store.Policy{Now: func() time.Time { return now }})
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

// memory returns the bytes that n registrations take, two a user, those that a
// tenth of them takes when the others are erased, and what is left of them all.
func memory(tb testing.TB, n int) (all, tenth, none int) {
	tb.Helper()
	before := heap()
	s := memstore.New(store.Policy{})
	for i := range n {
		if err := register(s, benchRequest("user", i/2, i%2, i)); err != nil {
			tb.Fatal(err)
		}
	}
	all = heap() - before
	erase := func(from, to int) int {
		for i := from; i < to; i++ {
			if err := s.DeleteUser(tb.Context(), benchRequest("user", i, 0, 0).Key.UserID); err != nil {
				tb.Fatal(err)
			}
		}
		return heap() - before
	}
	tenth = erase(n/20, n/2)
	none = erase(0, n/20)
	runtime.KeepAlive(s)
	return all, tenth, none
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
