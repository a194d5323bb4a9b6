package memstore

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var ctx = context.Background()

var start = time.Date(2026, time.November, 23, 15, 0, 0, 123_456_789, time.UTC)

func newAt(now *time.Time, p store.Policy) *Store {
	p.Now = func() time.Time { return *now }
	return MustNew(p)
}

func request(user, device, token int) tokens.Request {
	return tokens.Request{
		Key: tokens.Key{
			UserID:   tokens.UserID(fmt.Sprintf("user-%d", user)),
			DeviceID: tokens.DeviceID(fmt.Sprintf("device-%d", device)),
		},
		Token:    tokens.MustParseToken(fmt.Sprintf("ExpoPushToken[%d]", token)),
		Platform: tokens.Android,
	}
}

func (s *Store) mustRegister(tb interface{ Fatal(...any) }, req tokens.Request) store.Result {
	result, err := s.Register(ctx, req)
	if err != nil {
		tb.Fatal(err)
	}
	return result
}

// wantSound fails unless just the rows are in the three places, in order.
func (s *Store) wantSound(tb interface{ Fatalf(string, ...any) }) {
	rows := map[*row]bool{}
	for user, devices := range s.users {
		for i, r := range devices {
			if r.Key.UserID != user || i > 0 && devices[i-1].Key.DeviceID >= r.Key.DeviceID || s.find(r.Key) != r {
				tb.Fatalf("%v is out of place among its user's devices", r.Key)
			}
			if r.hash != r.Token.Hash() || s.holders[r.hash] != r {
				tb.Fatalf("%v does not hold its token", r.Key)
			}
			rows[r] = true
		}
		if len(devices) == 0 {
			tb.Fatalf("a user without rows is kept")
		}
	}
	for e := s.expiry.Front(); e != nil; e = e.Next() {
		if r := e.Value.(*row); !rows[r] || r.expiry != e {
			tb.Fatalf("%v is out of place in the expiry list", r.Key)
		}
	}
	if len(s.holders) != len(rows) || s.expiry.Len() != len(rows) {
		tb.Fatalf("%d rows, %d tokens, %d in the expiry list", len(rows), len(s.holders), s.expiry.Len())
	}
}

// TestSound makes random calls with a clock that goes either way.
func TestSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := start
		s := newAt(&now, store.Policy{TTL: store.MinTTL, MaxDevices: 3})
		draw := func(name string) tokens.Request {
			return request(
				rapid.IntRange(0, 2).Draw(t, name+" user"),
				rapid.IntRange(0, 4).Draw(t, name+" device"),
				rapid.IntRange(0, 5).Draw(t, name+" token"))
		}
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"register": func(t *rapid.T) {
				req := draw("register")
				s.mustRegister(t, req)
				if r := s.find(req.Key); r == nil || !r.Token.Equal(req.Token) {
					t.Fatal("the registration is not stored")
				}
			},
			"deactivate": func(*rapid.T) { must(s.Deactivate(ctx, draw("deactivate").Key)) },
			"invalidate": func(*rapid.T) {
				req := draw("invalidate")
				must(s.Invalidate(ctx, req.Key, req.Token.Hash(), now))
			},
			"delete":      func(*rapid.T) { must(s.Delete(ctx, draw("delete").Key)) },
			"delete user": func(*rapid.T) { must(s.DeleteUser(ctx, draw("delete").Key.UserID)) },
			"clock": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(-10, 10).Draw(t, "days")) * 24 * time.Hour)
			},
			"": func(t *rapid.T) { s.wantSound(t) },
		})
	})
}

// TestReclaimed has users come and go for ten times the TTL, while one user
// refreshes and one changes tokens: after a call only live rows are stored. A
// goroutine that is left would keep the bubble from ending.
func TestReclaimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := MustNew(store.Policy{TTL: store.MinTTL})
		for i := range 10 * 7 * 24 {
			s.mustRegister(t, request(-1, 0, -1))
			s.mustRegister(t, request(-2, 0, -2-i))
			s.mustRegister(t, request(i, 0, i))
			time.Sleep(time.Hour) // the bubble's time
			if live := 7*24 + 3; len(s.holders) > live {
				t.Fatalf("%d rows are stored, %d are live", len(s.holders), live)
			}
		}
		time.Sleep(store.MinTTL)
		if _, err := s.List(ctx, "user-0"); err != nil {
			t.Fatal(err)
		}
		if len(s.holders) != 0 || len(s.users) != 0 {
			t.Errorf("%d rows of %d users are stored, none is live", len(s.holders), len(s.users))
		}
		s.wantSound(t)
	})
}

// TestReclaimedLate sets the clock back by an hour: a row that is registered then
// is removed an hour late.
func TestReclaimedLate(t *testing.T) {
	now := start
	s := newAt(&now, store.Policy{})
	s.mustRegister(t, request(0, 0, 0))
	now = start.Add(-time.Hour)
	s.mustRegister(t, request(1, 0, 1))

	now = s.policy.Expiry(start.Add(-time.Hour))
	if regs, err := s.List(ctx, "user-1"); err != nil || len(regs) != 0 {
		t.Errorf("List shows %v and error %v, want none", regs, err)
	}
	if len(s.holders) != 2 {
		t.Errorf("%d rows are stored, want 2", len(s.holders))
	}
	now = s.policy.Expiry(start)
	if _, err := s.List(ctx, "user-1"); err != nil {
		t.Fatal(err)
	}
	if len(s.holders) != 0 {
		t.Errorf("%d rows are stored, want none", len(s.holders))
	}
}

func TestBadPolicy(t *testing.T) {
	bad := store.Policy{TTL: time.Second}
	const want = "store: Policy.TTL is 1s, want whole seconds from 168h0m0s to 87600h0m0s"
	if s, err := New(bad); s != nil || err == nil {
		t.Errorf("New returns %v and error %v", s, err)
	}
	defer func() {
		if got := recover(); got != want {
			t.Errorf("MustNew panics with %v", got)
		}
	}()
	MustNew(bad)
}

// TestClockUnderLock: a call must not read an earlier time than the call before it.
func TestClockUnderLock(t *testing.T) {
	var s *Store
	s = MustNew(store.Policy{Now: func() time.Time {
		if s.mu.TryLock() {
			t.Error("the clock is read before the store is locked")
			s.mu.Unlock()
		}
		return start
	}})
	s.mustRegister(t, request(0, 0, 0))
}

// TestClockPanics: a clock that panics ends one call and does not lock the store.
func TestClockPanics(t *testing.T) {
	broken := false
	s := MustNew(store.Policy{Now: func() time.Time {
		if broken {
			panic("the clock is broken")
		}
		return start
	}})
	req := request(0, 0, 0)
	for name, call := range map[string]func() error{
		"Register":   func() error { _, err := s.Register(ctx, req); return err },
		"Get":        func() error { _, err := s.Get(ctx, req.Key); return err },
		"List":       func() error { _, err := s.List(ctx, req.Key.UserID); return err },
		"Holder":     func() error { _, err := s.Holder(ctx, req.Token.Hash()); return err },
		"Deactivate": func() error { return s.Deactivate(ctx, req.Key) },
		"Invalidate": func() error { return s.Invalidate(ctx, req.Key, req.Token.Hash(), start) },
		"Delete":     func() error { return s.Delete(ctx, req.Key) },
		"DeleteUser": func() error { return s.DeleteUser(ctx, req.Key.UserID) },
	} {
		broken = false
		s.mustRegister(t, req)
		broken = true
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not read the clock", name)
				}
			}()
			_ = call()
		}()
		if !s.mu.TryLock() {
			t.Fatalf("%s leaves the store locked", name)
		}
		s.mu.Unlock()
		broken = false
		if err := call(); err != nil {
			t.Errorf("%s after the clock is mended: %v", name, err)
		}
	}
}
