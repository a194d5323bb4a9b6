package storetest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var limitChecks = []check{
	{"Limit/Exact", "limit", three, func(f *fixture) {
		f.fill()
		f.evicts(nth(3), device(0))
		f.wantDevices(alice, device(1), device(2), device(3))

		// The evicted device may come back with another token, and its old one is free.
		f.wantNoHolder(token(0))
		f.clock.advance(time.Minute)
		f.evicts(request(alice, device(0), token(10)), device(1))
		f.wantNoHolder(token(0))
		f.creates(request(bob, phone, token(0)))
		f.wantDevices(alice, device(0), device(2), device(3))
	}},
	{"Limit/One", "limit", store.Policy{MaxDevices: 1}, limitReached},
	{"Limit/Default", "limit", defaults, limitReached},
	{"Limit/OnlyNewDevicesEvict", "limit", three, func(f *fixture) {
		f.fill()
		f.refreshes(nth(0), start)
		replace := request(alice, device(0), token(9))
		f.replaces(replace, start)
		f.deactivate(replace.Key)
		f.refreshes(replace, start)
		f.wantDevices(alice, device(0), device(1), device(2))
	}},
	{"Limit/PerUser", "limit", three, func(f *fixture) {
		f.fill()
		for i := range 3 {
			f.evicts(request(bob, device(i), token(10+i)))
		}
		f.wantDevices(alice, device(0), device(1), device(2))
		f.wantDevices(bob, device(0), device(1), device(2))
	}},
	{"Limit/ExpiredDoNotCount", "limit", three, func(f *fixture) {
		f.fill()
		f.clock.set(start.Add(f.policy.TTL)) // the first has expired, the others have not
		f.evicts(nth(3))
		f.wantDevices(alice, device(1), device(2), device(3))
	}},
	{"Limit/OwnExpiredIsNewDevice", "limit", three, func(f *fixture) {
		old := request(alice, "old", token(9))
		f.register(old)
		f.clock.advance(f.policy.TTL)
		f.fill()
		f.evicts(old, device(0))
		f.wantDevices(alice, device(1), device(2), "old")
	}},
	// It takes the token of the device that would have been evicted.
	{"Limit/Reinstalled", "limit", three, func(f *fixture) {
		f.fill()
		f.evicts(request(alice, "new", token(0)))
		f.wantNone(nth(0).Key)
		f.wantDevices(alice, device(1), device(2), "new")
	}},
	{"Limit/MoveAndEvict", "limit", three, func(f *fixture) {
		f.fill()
		from := request(bob, phone, token(9))
		f.register(from)
		req := request(alice, "new", token(9))
		want := store.Result{Outcome: store.Created, MovedFrom: from.Key, Evicted: []tokens.Key{nth(0).Key}}
		f.wantResult(req, f.clock.Now(), want, f.register(req))
		f.wantDevices(alice, device(1), device(2), "new")
	}},
	{"Limit/RefreshAboveIt", "limit", three, func(f *fixture) {
		reqs := f.crowd()
		above := len(f.list(alice))
		for i, req := range reqs[3:5] {
			req.Token = token(100 + i)
			for _, outcome := range []store.Outcome{store.Replaced, store.Refreshed} {
				got := f.register(req)
				f.wantEqual("Outcome", outcome, got.Outcome)
				f.wantEqual("Evicted", []tokens.Key(nil), got.Evicted)
			}
		}
		f.wantEqual("number of devices after refreshes", above, len(f.list(alice)))
		f.deleteUser(alice)
		f.wantDevices(alice) // DeleteUser does not stop at the limit
	}},
	{"Eviction/InactiveFirst", "eviction-order", three, func(f *fixture) {
		reqs := f.fill()
		f.deactivate(reqs[1].Key)
		f.invalidate(reqs[2].Key, reqs[2].Token, f.clock.Now().Add(time.Hour))
		f.wantOrder(device(1), device(2), device(0))
	}},
	{"Eviction/OldestUpdate", "eviction-order", three, func(f *fixture) {
		f.register(f.fill()[0])
		f.wantOrder(device(1))
	}},
	// The devices become inactive in another order than that of their last
	// registrations, and for different reasons. Only the last registration counts.
	{"Eviction/OldestUpdateOfInactive", "eviction-order", three, func(f *fixture) {
		reqs := f.fill()
		for _, i := range []int{1, 2, 0} {
			f.register(reqs[i])
			f.clock.advance(time.Minute)
		}
		for i, req := range reqs {
			if i == 2 {
				f.deactivate(req.Key)
			} else {
				f.invalidate(req.Key, req.Token, f.clock.Now().Add(time.Hour))
			}
			f.clock.advance(time.Minute)
		}
		f.wantOrder(device(1), device(2), device(0))
	}},
	// In bytes, capitals come before small letters, and accented letters after both.
	{"Eviction/SmallestDeviceID", "eviction-order", three, func(f *fixture) {
		for i, d := range []tokens.DeviceID{"b", "é", "C"} {
			f.register(request(alice, d, token(i)))
		}
		f.clock.advance(time.Minute)
		f.wantOrder("C", "b", "é")
	}},
	// By its time and its id, the new device would be the first to go.
	{"Eviction/NeverTheNewcomer", "eviction-order", three, func(f *fixture) {
		f.fill()
		f.clock.set(start.Add(-time.Hour))
		f.evicts(request(alice, "a", token(3)), device(0))
		f.wantDevices(alice, "a", device(1), device(2))
	}},
	// Milliseconds decide, and then the device id.
	{"Eviction/Milliseconds", "eviction-order", three, func(f *fixture) {
		second := start.Truncate(time.Second)
		for i, at := range []time.Duration{time.Millisecond, 3*time.Millisecond + time.Microsecond, 3*time.Millisecond + 900*time.Microsecond} {
			f.clock.set(second.Add(at))
			f.register(request(alice, []tokens.DeviceID{"c", "b", "a"}[i], token(i)))
		}
		f.clock.set(second.Add(4 * time.Millisecond))
		f.wantOrder("c", "a", "b")
	}},
	{"Eviction/AtMostForty", "limit", store.Policy{MaxDevices: 43}, evictionAtMostForty},
	{"Sizes/MostDevices", "limit", store.Policy{MaxDevices: store.MaxMaxDevices}, sizesMostDevices},
}

// fill registers alice's first devices up to the limit, a minute apart.
func (f *fixture) fill() []tokens.Request {
	f.Helper()
	reqs := firstN(f.policy.MaxDevices)
	for _, req := range reqs {
		f.evicts(req)
		f.clock.advance(time.Minute)
	}
	return reqs
}

func limitReached(f *fixture) {
	f.fill()
	f.evicts(request(alice, "new", token(99)), device(0))
	f.wantEqual("number of devices", f.policy.MaxDevices, len(f.list(alice)))
}

// wantOrder fails unless new devices evict these, in this order.
func (f *fixture) wantOrder(evicted ...tokens.DeviceID) {
	f.Helper()
	for i, d := range evicted {
		f.evicts(nth(10+i), d)
		f.clock.advance(time.Minute)
	}
}

// crowd brings alice far above the limit: expired registrations are back when the clock is
// set back. A store that erases the oldest first keeps them, because bob's, the first of all,
// has not expired.
func (f *fixture) crowd() []tokens.Request {
	f.Helper()
	f.clock.set(start.Add(2 * time.Hour))
	f.register(request(bob, phone, token(999)))
	reqs := firstN(2 * f.policy.MaxDevices)
	for i, req := range reqs {
		if f.clock.set(start); i >= f.policy.MaxDevices {
			f.clock.set(start.Add(f.policy.TTL))
		}
		f.register(req)
	}
	f.clock.set(start.Add(time.Hour))
	return reqs
}

// evictionAtMostForty takes three new devices to come back to the limit.
func evictionAtMostForty(f *fixture) {
	limit := f.policy.MaxDevices
	f.crowd()

	// Those of the first half were updated before now, and go first.
	var queue []tokens.DeviceID
	older := 0
	for _, reg := range f.list(alice) {
		queue = append(queue, reg.Key.DeviceID)
		if reg.UpdatedAt.Before(f.clock.Now()) {
			older++
		}
	}
	for i := range 3 {
		n := min(len(queue)+1-limit, store.MaxEvictions)
		newcomer := request(alice, tokens.DeviceID("new-"+device(i)), token(2*limit+i))
		f.evicts(newcomer, queue[:n]...)

		older = max(older-n, 0)
		queue = slices.Insert(queue[n:], older, newcomer.Key.DeviceID)
		older++
		f.clock.advance(time.Minute)
	}
	f.wantEqual("number of devices", limit, len(f.list(alice)))
}

// sizesMostDevices has the greatest number of devices, with the longest ids and tokens: more
// than a page of results, a batch of statements or a transaction takes.
func sizesMostDevices(f *fixture) {
	const most = store.MaxMaxDevices
	long := func(n, length int) string { return strings.Repeat("\U0001f4f1", length-4) + fmt.Sprintf("%04d", n) }
	big := tokens.UserID(long(0, tokens.MaxUserIDLen))
	devices := make([]tokens.DeviceID, most)
	want := make([]tokens.Registration, most)
	of := func(n int) tokens.Request {
		req := request(big, tokens.DeviceID(long(n, tokens.MaxDeviceIDLen)),
			tokens.MustParseToken("ExponentPushToken["+strings.Repeat("x", tokens.MaxTokenBytes-23)+fmt.Sprintf("%04d", n)+"]"))
		req.ProjectID = tokens.ProjectID(long(n, tokens.MaxProjectIDLen))
		return req
	}
	for n := range most {
		devices[n] = of(n).Key.DeviceID
		want[n] = f.registered(of(n), start, start)
	}
	for some := range slices.Chunk(want, 2*workers) {
		var calls []call
		for _, r := range some {
			calls = append(calls, f.storing(r))
		}
		f.together(calls...)
	}
	f.wantEqual("List", want, f.list(big))
	if f.Inspector {
		f.wantEqual("Inspect", want, registrations(f.inspect(big)))
	}
	if f.Walker != nil {
		f.register(owned)
		shown := map[tokens.Key]bool{}
		for _, r := range f.walk(f.walker(), "", math.MaxInt, nil) {
			shown[r.Key] = true
		}
		f.wantEqual("registrations in a walk without a limit", most+1, len(shown))
	}

	f.clock.advance(time.Hour)
	one := of(most)
	f.evicts(one, devices[0])
	f.wantNoHolder(of(0).Token)
	f.wantDevices(big, append(devices[1:], one.Key.DeviceID)...)

	f.deleteUser(big)
	f.wantDevices(big)
	for _, n := range []int{1, most / 4, most / 2, most - 1, most} {
		f.wantErased(of(n))
	}
}

// storing prefers an import, which does not count the user's devices.
func (f *fixture) storing(r tokens.Registration) call {
	if f.Importer {
		return importCall(r)
	}
	return registerCall(tokens.Request{Key: r.Key, Token: r.Token, Platform: r.Platform, ProjectID: r.ProjectID})
}
