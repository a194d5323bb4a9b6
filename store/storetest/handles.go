package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// handleChecks have two handles on the same data, like two processes.
var handleChecks = []check{
	// Each write is made on one handle, and read on the other, which has read before.
	{"Handles/ReadsAtOnce", "one-instant", three, func(f *fixture) {
		handles := []*fixture{f, f.again(f.policy)}
		for i, a := range scene(0).actions() {
			s := scene(i)
			a := s.action(a.name)
			for j, writer := range handles {
				reader := handles[1-j]
				reader.setScene(s)
				twin := f.twin(s)
				reader.wantPicture("before "+a.name, s, a, twin)
				want, err := a.do(f.Context(), twin)
				got, err2 := a.do(f.Context(), writer.store)
				f.must(errors.Join(err, err2), "%s", a.name)
				f.wantEqual(a.name, want, got)
				reader.wantPicture(a.name+" on another handle", s, a, twin)
			}
		}
	}},
	{"Handles/Sequence", "one-instant", store.Policy{TTL: store.MinTTL, MaxDevices: 3}, func(f *fixture) {
		f.sequence(f.store, f.again(f.policy).store)
	}},
	{"Handles/Pairs", "one-instant", three, func(f *fixture) {
		f.roundsOfAll(f.everyPair(f.store, f.again(f.policy).store))
	}},
	{"Handles/LowerLimit", "limit", store.Policy{MaxDevices: 5}, handlesLowerLimit},
	{"Handles/OtherTTL", "expiry", defaults, handlesOtherTTL},
	{"Handles/OtherClock", "expiry", defaults, handlesOtherClock},
}

// again returns a fixture on another handle of the data, with the same clock.
func (f *fixture) again(p store.Policy) *fixture {
	f.Helper()
	other := *f
	other.policy, other.store = p, f.Again(f.TB, f.store, p)
	return &other
}

func (f *fixture) wantPicture(what string, s scene, a action, twin store.Store) {
	f.Helper()
	want, err := s.picture(f.Context(), twin, a)
	got, err2 := s.picture(f.Context(), f.store, a)
	f.must(errors.Join(err, err2), "%s", what)
	if want != got {
		f.Fatalf("stored after %s (-want +got):\n%s", what, nearest([]string{want}, got))
	}
}

func handlesLowerLimit(f *fixture) {
	lower := f.policy
	lower.MaxDevices = 2
	other := f.again(lower)
	reqs := f.fill()
	other.wantDevices(alice, device(0), device(1), device(2), device(3), device(4))

	// Only a new device evicts.
	other.refreshes(reqs[0], start)
	other.wantDevices(alice, device(0), device(1), device(2), device(3), device(4))
	f.clock.advance(time.Minute)
	other.evicts(nth(5), device(1), device(2), device(3), device(4))
	f.wantDevices(alice, device(0), device(5))

	// The other handle still has its own limit.
	for i := 6; i < 9; i++ {
		f.clock.advance(time.Minute)
		f.evicts(nth(i))
	}
	f.clock.advance(time.Minute)
	f.evicts(nth(9), device(0))
	other.wantDevices(alice, device(5), device(6), device(7), device(8), device(9))
}

func handlesOtherTTL(f *fixture) {
	shorter := f.policy
	shorter.TTL = store.MinTTL
	handles := []*fixture{f, f.again(shorter)}
	f.register(owned)
	for i := range 4 {
		f.clock.advance(time.Hour)
		writer, reader := handles[1-i%2], handles[i%2]
		writer.refreshes(owned, start)
		reader.wantStored(writer.registered(owned, start, f.clock.Now()))
	}
	handles[1].register(owned)
	f.clock.advance(store.MinTTL)
	f.wantNone(owned.Key)
	f.wantNoHolder(owned.Token)
}

// handlesOtherClock has a handle whose clock is a TTL ahead, which may remove expired
// registrations.
func handlesOtherClock(f *fixture) {
	fast := &clock{now: start.Add(f.policy.TTL)}
	ahead := f.policy
	ahead.Now = fast.Now
	other := f.again(ahead)
	other.clock = fast

	loggedOut, refreshed, moved := request(alice, "out", token(1)), reissued, request(alice, "tablet", token(3))
	for _, req := range []tokens.Request{loggedOut, refreshed, moved} {
		f.register(req)
	}
	other.deactivate(loggedOut.Key)
	f.wantDevices(alice, phone, "tablet")
	if f.holds(loggedOut) {
		f.wantEqual("Status", tokens.LoggedOut, f.get(loggedOut.Key).Status)
	}
	other.wantDevices(alice)
	other.wantNone(refreshed.Key)
	other.wantNoHolder(refreshed.Token)

	other.creates(refreshed)
	f.wantStored(other.registered(refreshed, fast.Now(), fast.Now()))
	to := request(bob, phone, token(3))
	other.creates(to)
	f.wantNone(moved.Key)

	// The write that is applied last wins, regardless of its clock.
	f.refreshes(refreshed, fast.Now())
	f.moves(request(alice, "tablet", token(3)), to.Key)
}

// sequence makes the same random calls each time, each on one of the handles, and fails if
// a result differs from memstore's.
func (f *fixture) sequence(handles ...store.Store) {
	twin := memstore.MustNew(f.policy)
	random := rand.New(rand.NewPCG(2051, 3))
	pauses := []time.Duration{time.Millisecond, time.Second, 2 * store.ClockSkew, time.Hour, f.policy.TTL / 4}
	for n := range 400 {
		if random.IntN(2) == 0 {
			f.clock.advance(pauses[random.IntN(len(pauses))])
		}
		name, do := randomCall(random, f.clock.Now())
		want, wantErr := do(f.Context(), twin)
		got, err := do(f.Context(), handles[n*7/4%len(handles)])
		if !errors.Is(err, wantErr) {
			f.Fatalf("call %d, %s: got error %v, want %v", n, name, err, wantErr)
		}
		if err == nil {
			f.wantEqual(name, want, got)
		}
		if f.Failed() {
			f.Fatalf("call %d differs", n)
		}
	}
}

type randomAnswer func(context.Context, store.Store) (any, error)

func randomCall(random *rand.Rand, now time.Time) (name string, do randomAnswer) {
	req := request([]tokens.UserID{alice, bob}[random.IntN(2)], device(random.IntN(4)), spellings(random.IntN(5))[random.IntN(3)])
	req.Platform = []tokens.Platform{tokens.IOS, tokens.Android}[random.IntN(2)]
	req.ProjectID = []tokens.ProjectID{"", "@acme/app"}[random.IntN(2)]
	sentAt := now.Add(-time.Duration(random.IntN(3)) * store.ClockSkew)

	removal := func(do call) randomAnswer {
		return func(ctx context.Context, s store.Store) (any, error) { return nil, do(ctx, s) }
	}
	switch random.IntN(16) {
	case 0:
		return "Delete", removal(deleteCall(req.Key))
	case 1, 2:
		return "Deactivate", removal(deactivateCall(req.Key))
	case 3:
		return "Invalidate", removal(func(ctx context.Context, s store.Store) error {
			return store.InvalidateToken(ctx, s, req.Token, sentAt)
		})
	case 4:
		if random.IntN(4) == 0 {
			return "DeleteUser", removal(deleteUserCall(req.Key.UserID))
		}
		fallthrough
	case 5:
		return "List", func(ctx context.Context, s store.Store) (any, error) {
			regs, err := s.List(ctx, req.Key.UserID)
			return append([]tokens.Registration{}, regs...), err // none may be nil or empty
		}
	case 6:
		return "Holder", func(ctx context.Context, s store.Store) (any, error) { return s.Holder(ctx, req.Token.Hash()) }
	case 7:
		return "Get", func(ctx context.Context, s store.Store) (any, error) { return s.Get(ctx, req.Key) }
	default:
		return "Register", func(ctx context.Context, s store.Store) (any, error) { return s.Register(ctx, req) }
	}
}
