package storetest

import (
	"errors"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Each of these has two handles on the same data, as two processes have.
var handleChecks = []check{
	{name: "Handles/ReadsAtOnce", rule: "one-instant", policy: three, run: handlesReadAtOnce},
	{name: "Handles/Sequence", rule: "one-instant", policy: store.Policy{TTL: store.MinTTL, MaxDevices: 3}, run: func(f *fixture) {
		sequenceOn(f, f.store, f.again(f.policy).store)
	}},
	{name: "Handles/Pairs", rule: "one-instant", policy: three, run: func(f *fixture) {
		f.roundsOfAll(f.everyPair(f.store, f.again(f.policy).store))
	}},
	{name: "Handles/LowerLimit", rule: "limit", policy: store.Policy{MaxDevices: 5}, run: handlesLowerLimit},
	{name: "Handles/OtherTTL", rule: "expiry", run: handlesOtherTTL},
	{name: "Handles/OtherClock", rule: "expiry", run: handlesOtherClock},
}

// again returns a fixture on another handle with another policy, which shares the
// clock unless the policy has one.
func (f *fixture) again(p store.Policy) *fixture {
	f.Helper()
	other := *f
	other.policy, other.store = p, f.Again(f.TB, f.store, p)
	return &other
}

// handlesReadAtOnce makes each write on one handle, and reads on the other, which
// has read before.
func handlesReadAtOnce(f *fixture) {
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
			if err := errors.Join(err, err2); err != nil {
				f.Fatalf("%s: %v", a.name, err)
			}
			f.wantEqual(a.name, want, got)
			reader.wantPicture(a.name+" on another handle", s, a, twin)
		}
	}
}

// wantPicture fails unless the store holds of the scene what the twin does.
func (f *fixture) wantPicture(what string, s scene, a action, twin store.Store) {
	f.Helper()
	want, err := s.picture(f.Context(), twin, a)
	got, err2 := s.picture(f.Context(), f.store, a)
	if err := errors.Join(err, err2); err != nil {
		f.Fatalf("%s: %v", what, err)
	}
	if want != got {
		f.Fatalf("stored after %s (-want +got):\n%s", what, nearest([]string{want}, got))
	}
}

// handlesLowerLimit applies a lower limit to what was there before.
func handlesLowerLimit(f *fixture) {
	lower := f.policy
	lower.MaxDevices = 2
	other := f.again(lower)
	reqs := f.fill(alice)
	other.wantDevices(alice, device(0), device(1), device(2), device(3), device(4))

	// Only a new device evicts.
	other.wantResult(reqs[0], store.Refreshed, start, other.register(reqs[0]))
	other.wantDevices(alice, device(0), device(1), device(2), device(3), device(4))
	f.clock.advance(time.Minute)
	req := request(alice, device(5), token(5))
	other.wantEvicted(req, other.register(req), device(1), device(2), device(3), device(4))
	f.wantDevices(alice, device(0), device(5))

	// The other handle still has its own limit.
	for i := 6; i < 9; i++ {
		f.clock.advance(time.Minute)
		req := request(alice, device(i), token(i))
		f.wantEvicted(req, f.register(req))
	}
	f.clock.advance(time.Minute)
	req = request(alice, device(9), token(9))
	f.wantEvicted(req, f.register(req), device(0))
	other.wantDevices(alice, device(5), device(6), device(7), device(8), device(9))
}

// handlesOtherTTL registers by turns.
func handlesOtherTTL(f *fixture) {
	shorter := f.policy
	shorter.TTL = store.MinTTL
	handles := []*fixture{f, f.again(shorter)}
	req := request(alice, phone, token(1))
	f.register(req)
	for i := range 4 {
		f.clock.advance(time.Hour)
		writer, reader := handles[1-i%2], handles[i%2]
		writer.wantResult(req, store.Refreshed, start, writer.register(req))
		reader.wantStored(writer.registered(req, start, f.clock.Now()))
	}
	handles[1].register(req)
	f.clock.advance(store.MinTTL)
	f.wantNone(req.Key)
	f.wantNoHolder(req.Token)
}

// handlesOtherClock has a handle whose clock is a TTL ahead. What it takes for
// expired it may remove.
func handlesOtherClock(f *fixture) {
	fast := &clock{now: start.Add(f.policy.TTL)}
	ahead := f.policy
	ahead.Now = fast.Now
	other := f.again(ahead)
	other.clock = fast

	loggedOut, refreshed, moved := request(alice, "out", token(1)), request(alice, phone, token(2)), request(alice, "tablet", token(3))
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

	other.wantResult(refreshed, store.Created, fast.Now(), other.register(refreshed))
	f.wantStored(other.registered(refreshed, fast.Now(), fast.Now()))
	to := request(bob, phone, token(3))
	other.wantResult(to, store.Created, fast.Now(), other.register(to))
	f.wantNone(moved.Key)

	// The write that is applied last wins, regardless of its clock.
	f.wantResult(refreshed, store.Refreshed, fast.Now(), f.register(refreshed))
	f.wantMove(request(alice, "tablet", token(3)), store.Created, f.clock.Now(), to.Key, f.register(request(alice, "tablet", token(3))))
}
