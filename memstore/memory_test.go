package memstore_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
)

// TestMemory holds the store to 800 bytes a registration, with its strings, and
// to keeping nothing of those that are gone.
func TestMemory(t *testing.T) {
	const n = 100_000
	held, left := memory(t, n)
	if held > 800*n {
		t.Errorf("%d bytes a registration, want at most 800", held/n)
	}
	if left > 8*n {
		t.Errorf("%d bytes left of each registration that was erased", left/n)
	}
}

// BenchmarkMemory reports the bytes of each of a million registrations.
func BenchmarkMemory(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		held, _ := memory(b, n)
		b.ReportMetric(float64(held)/n, "B/registration")
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

// memory returns the bytes that n registrations take, two a user, and those that
// are still taken when they are erased.
func memory(tb testing.TB, n int) (held, left int) {
	tb.Helper()
	before := heap()
	s := memstore.New(store.Policy{})
	for i := range n {
		if err := register(s, benchRequest("user", i/2, i%2, i)); err != nil {
			tb.Fatal(err)
		}
	}
	held = heap() - before
	for i := range n / 2 {
		if err := s.DeleteUser(tb.Context(), benchRequest("user", i, 0, 0).Key.UserID); err != nil {
			tb.Fatal(err)
		}
	}
	left = heap() - before
	runtime.KeepAlive(s)
	return held, left
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
