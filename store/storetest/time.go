package storetest

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var timeChecks = []check{
	{"Expiry/Boundary", "expiry", defaults, expiryBoundary},
	{"Expiry/Policy", "expiry", store.Policy{TTL: 8*24*time.Hour + time.Second}, expiryBoundary},
	{"Expiry/RegisterBeforeIt", "expiry", defaults, func(f *fixture) {
		f.register(owned)
		f.clock.set(f.expiresAt(start).Add(-time.Nanosecond))
		f.refreshes(owned, start)
	}},
	{"Expiry/RefreshProlongs", "expiry", defaults, func(f *fixture) { f.prolongs(owned) }},
	{"Expiry/ReplaceProlongs", "expiry", defaults, func(f *fixture) { f.prolongs(reissued) }},
	{"Expiry/OnlyRegisterProlongs", "expiry", defaults, expiryOnlyRegisterProlongs},
	{"Expiry/OfInactive", "expiry", defaults, func(f *fixture) {
		inactive := f.inactive(owned, second)
		f.clock.set(f.expiresAt(start).Add(-time.Nanosecond))
		for _, want := range inactive {
			f.wantStored(want)
		}
		f.clock.set(f.expiresAt(start))
		for _, want := range inactive {
			f.wantNone(want.Key)
			f.wantNoHolder(want.Token)
		}
	}},
	// Rounding to the nearest would put these times into the next millisecond or second.
	{"Clock/Truncated", "clock", defaults, func(f *fixture) {
		for i, now := range []time.Time{
			time.Date(2051, time.May, 6, 7, 8, 9, 0, time.UTC),
			time.Date(2051, time.May, 6, 7, 8, 9, 999_999_999, time.UTC),
			time.Date(2051, time.December, 31, 23, 59, 59, 499_500_000, time.FixedZone("", 3600)),
			time.Date(2052, time.February, 29, 23, 59, 59, 999_000_001, time.FixedZone("", -12*3600)),
		} {
			f.clock.set(now)
			req := nth(i)
			f.creates(req)
			f.refreshes(req, now)
		}
	}},
	{"Clock/ReadOnce", "clock", three, clockReadOnce},
	{"Clock/RefreshSoon", "refreshed", defaults, clockRefreshSoon},
	{"Clock/RefreshInThePast", "last-wins", defaults, func(f *fixture) {
		f.register(owned)
		f.clock.set(start.Add(-time.Hour))
		req := owned
		req.Platform = tokens.Android
		f.refreshes(req, start)
		f.deactivate(req.Key)
		f.wantDevices(alice)
	}},
	{"Clock/ReplaceInThePast", "last-wins", defaults, func(f *fixture) {
		f.register(owned)
		f.clock.set(start.Add(-time.Hour))
		f.replaces(reissued, start)
		f.wantNoHolder(token(1))
	}},
	{"Clock/MoveInThePast", "last-wins", defaults, func(f *fixture) {
		f.register(owned)
		f.clock.set(start.Add(-time.Hour))
		f.moves(taking, owned.Key)
		f.clock.set(start)
		f.wantNone(owned.Key)
	}},
	{"Clock/RemoveInThePast", "last-wins", defaults, clockRemoveInThePast},
	// A device takes the tokens of expired devices of the same user. After the clock is
	// set back, no token may be in the list twice.
	{"Clock/OwnExpiredHolder", "take-over", defaults, func(f *fixture) {
		f.register(owned)
		f.register(second)
		f.clock.advance(f.policy.TTL)
		later := f.clock.Now()
		for _, expired := range []tokens.Request{owned, second} {
			req := request(alice, "new", expired.Token)
			f.clock.set(later)
			f.register(req)
			f.clock.set(start)
			f.wantNone(expired.Key)
			f.wantStored(f.registered(req, later, later))
		}
		f.wantNoHolder(owned.Token)
		f.wantDevices(alice, "new")
	}},
	{"Sequence/LikeMemstore", "last-wins", store.Policy{TTL: store.MinTTL, MaxDevices: 3}, func(f *fixture) { f.sequence(f.store) }},
}

// expiresAt returns the expiry of a registration of now.
func (f *fixture) expiresAt(now time.Time) time.Time {
	return time.Unix(now.Unix()+int64(f.policy.TTL/time.Second), 0)
}

func expiryBoundary(f *fixture) {
	f.register(owned)
	f.clock.advance(time.Hour)
	f.register(second)

	expiry := f.expiresAt(start)
	for _, live := range []time.Duration{-time.Second, -time.Millisecond, -time.Nanosecond} {
		f.clock.set(expiry.Add(live))
		f.wantUnchanged(owned)
	}
	for _, expired := range []time.Duration{0, time.Nanosecond, time.Second, 1000 * 24 * time.Hour} {
		f.clock.set(expiry.Add(expired))
		f.wantNone(owned.Key)
		f.wantNoHolder(owned.Token)
		if expired < time.Hour-time.Second {
			f.wantDevices(alice, "tablet")
		}
	}
	f.wantDevices(alice)
}

func (f *fixture) prolongs(again tokens.Request) {
	f.Helper()
	f.register(owned)
	half := start.Add(f.policy.TTL / 2)
	f.clock.set(half)
	f.register(again)

	f.clock.set(f.expiresAt(start))
	f.wantStored(f.registered(again, start, half))
	f.clock.set(f.expiresAt(half).Add(-time.Nanosecond))
	f.wantStored(f.registered(again, start, half))
	f.clock.set(f.expiresAt(half))
	f.wantNone(again.Key)
	f.wantNoHolder(again.Token)
}

func expiryOnlyRegisterProlongs(f *fixture) {
	reqs := firstN(3)
	for _, req := range reqs {
		f.register(req)
	}
	f.clock.advance(time.Hour)
	f.list(alice)
	f.get(reqs[0].Key)
	f.holder(reqs[0].Token)
	f.deactivate(reqs[1].Key)
	f.invalidate(reqs[2].Key, reqs[2].Token, f.clock.Now())
	for _, req := range reqs {
		f.wantEqual("ExpiresAt", f.expiresAt(start).UTC(), f.get(req.Key).ExpiresAt)
	}
	f.clock.set(f.expiresAt(start))
	for _, req := range reqs {
		f.wantNone(req.Key)
	}
}

// clockRemoveInThePast sets the clock back before each removal and each Register after it.
func clockRemoveInThePast(f *fixture) {
	for _, r := range []removal{deactivates, deletes, deletesUser} {
		f.clock.set(start)
		registeredAt := f.register(owned).Registration.RegisteredAt
		f.clock.set(start.Add(-time.Hour))
		r.do(f, owned)
		if f.wantDevices(alice); f.Failed() {
			f.Fatalf("%s has no effect on a registration with a later UpdatedAt", r.method)
		}
		f.clock.set(start.Add(-2 * time.Hour))
		if r.status != "" {
			f.refreshes(owned, registeredAt)
		} else {
			f.wantNone(owned.Key)
			f.creates(owned)
		}
		if f.Failed() {
			f.Fatalf("Register has no effect after a %s at a later time", r.method)
		}
	}
}

func (f *fixture) readsClockOnce(what string, do call) {
	f.Helper()
	var readings atomic.Int64
	f.clock.onReading(func() { readings.Add(1) })
	err := do(f.Context(), f.store)
	f.clock.onReading(nil)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		f.Errorf("%s: %v", what, err)
	}
	if n := readings.Load(); n > 1 {
		f.Errorf("%s reads the clock %d times, want once at most", what, n)
	}
}

func clockReadOnce(f *fixture) {
	f.fill()
	for _, tt := range []struct {
		what string
		do   call
	}{
		{"a Register that moves", registerCall(taking)},
		{"one that replaces", registerCall(request(bob, phone, token(9)))},
		{"one that refreshes", registerCall(request(bob, phone, token(9)))},
		{"a new one", registerCall(nth(1))},
		{"one that evicts", registerCall(request(alice, "new", token(10)))},
		{"one that moves and evicts", registerCall(request(alice, "newer", token(9)))},
		{"Get", getCall(key(alice, "new"))},
		{"Get of nothing", getCall(key(alice, device(0)))},
		{"List", listCall(alice)},
		{"Holder", holderCall(token(10).Hash())},
		{"Invalidate", invalidateCall(key(alice, "new"), token(10).Hash(), f.clock.Now().Add(time.Hour))},
		{"Deactivate", deactivateCall(key(alice, "newer"))},
		{"Delete", deleteCall(key(alice, "new"))},
		{"DeleteUser", deleteUserCall(alice)},
	} {
		f.readsClockOnce(tt.what, tt.do)
	}
	f.fill()
	f.register(request(bob, phone, token(9)))
	if f.Inspector {
		f.readsClockOnce("Inspect", inspectCall(alice))
	}
	if f.Walker != nil {
		f.readsClockOnce("Segments", segmentsCall(f.walker(), 3))
		f.readsClockOnce("Page", pageCall(f.walker(), "", 3))
	}
	if f.Importer {
		f.readsClockOnce("Import", importCall(f.registered(request(alice, device(0), token(9)), start, f.clock.Now())))
	}
}

// clockRefreshSoon refreshes after short times, with a change and without.
func clockRefreshSoon(f *fixture) {
	req := owned
	f.register(req)
	for i, wait := range []time.Duration{
		time.Millisecond, time.Second, 30 * time.Second, time.Minute, store.ClockSkew, 10 * time.Minute,
		59 * time.Minute, time.Hour, 23 * time.Hour, 24 * time.Hour, f.policy.TTL / 3,
	} {
		for range 2 {
			f.clock.advance(wait)
			f.refreshes(req, start)
			f.wantEqual("Get", f.registered(req, start, f.clock.Now()), f.get(req.Key))
		}
		f.clock.advance(wait)
		if req.ProjectID = "@acme/app"; i%2 == 0 {
			req.ProjectID = "@acme/other"
		}
		f.refreshes(req, start)

		f.deactivate(req.Key)
		f.clock.advance(wait)
		f.refreshes(req, start)
	}
}
