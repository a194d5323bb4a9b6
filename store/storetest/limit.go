package storetest

import (
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// three is a limit that is soon reached.
var three = store.Policy{MaxDevices: 3}

var limitChecks = []check{
	{name: "Limit/Exact", rule: "limit", policy: three, run: limitExact},
	{name: "Limit/One", rule: "limit", policy: store.Policy{MaxDevices: 1}, run: limitOne},
	{name: "Limit/Default", rule: "limit", run: limitDefault},
	{name: "Limit/OnlyNewDevicesEvict", rule: "limit", policy: three, run: limitOnlyNewDevicesEvict},
	{name: "Limit/PerUser", rule: "limit", policy: three, run: limitPerUser},
	{name: "Limit/InactiveCount", rule: "limit", policy: three, run: limitInactiveCount},
	{name: "Limit/ExpiredDoNotCount", rule: "limit", policy: three, run: limitExpiredDoNotCount},
	{name: "Limit/OwnExpiredIsNewDevice", rule: "limit", policy: three, run: limitOwnExpiredIsNewDevice},
	{name: "Limit/Reinstalled", rule: "limit", policy: three, run: limitReinstalled},
	{name: "Limit/MoveAndEvict", rule: "limit", policy: three, run: limitMoveAndEvict},
	{name: "Limit/RefreshAboveIt", rule: "limit", policy: three, run: limitRefreshAboveIt},
}

// wantEvicted fails unless a Register of a new device at the time of the clock
// removed just these devices of its user, in this order.
func (f *fixture) wantEvicted(req tokens.Request, got store.Result, devices ...tokens.DeviceID) {
	f.Helper()
	want := store.Result{
		Registration: f.registered(req, f.clock.Now(), f.clock.Now()),
		Outcome:      store.Created,
	}
	for _, d := range devices {
		want.Evicted = append(want.Evicted, key(req.Key.UserID, d))
	}
	f.wantEqual("Result", want, got)
	f.wantStored(want.Registration)
	for _, k := range want.Evicted {
		f.wantNone(k)
	}
}

// fill registers the user's first devices up to the limit, a minute apart.
func (f *fixture) fill(user tokens.UserID) []tokens.Request {
	f.Helper()
	reqs := requests(user, f.policy.MaxDevices)
	for _, req := range reqs {
		f.wantEvicted(req, f.register(req))
		f.clock.advance(time.Minute)
	}
	return reqs
}

func limitExact(f *fixture) {
	f.fill(alice)
	req := request(alice, device(3), token(3))
	f.wantEvicted(req, f.register(req), device(0))
	f.wantDevices(alice, device(1), device(2), device(3))

	// The evicted device may come back, with another token, and its old one is
	// free.
	f.wantNoHolder(token(0))
	f.clock.advance(time.Minute)
	back := request(alice, device(0), token(10))
	f.wantEvicted(back, f.register(back), device(1))
	f.wantNoHolder(token(0))
	other := request(bob, phone, token(0))
	f.wantResult(other, store.Created, f.clock.Now(), f.register(other))
	f.wantDevices(alice, device(0), device(2), device(3))
}

func limitOne(f *fixture) {
	f.fill(alice)
	req := request(alice, "new", token(1))
	f.wantEvicted(req, f.register(req), device(0))
	f.wantDevices(alice, "new")
}

func limitDefault(f *fixture) {
	for _, req := range requests(alice, store.DefaultMaxDevices) {
		f.wantEvicted(req, f.register(req))
		f.clock.advance(time.Minute)
	}
	req := request(alice, "new", token(store.DefaultMaxDevices))
	f.wantEvicted(req, f.register(req), device(0))
}

func limitOnlyNewDevicesEvict(f *fixture) {
	f.fill(alice)
	refresh := request(alice, device(0), token(0))
	f.wantResult(refresh, store.Refreshed, start, f.register(refresh))
	replace := request(alice, device(0), token(9))
	f.wantResult(replace, store.Replaced, start, f.register(replace))
	f.deactivate(replace.Key)
	f.wantResult(replace, store.Refreshed, start, f.register(replace))
	f.wantDevices(alice, device(0), device(1), device(2))
}

func limitPerUser(f *fixture) {
	f.fill(alice)
	for i, d := range []tokens.DeviceID{device(0), device(1), device(2)} {
		req := request(bob, d, token(10+i))
		f.wantEvicted(req, f.register(req))
	}
	f.wantDevices(alice, device(0), device(1), device(2))
	f.wantDevices(bob, device(0), device(1), device(2))
}

func limitInactiveCount(f *fixture) {
	f.fill(alice)
	f.deactivate(key(alice, device(2)))
	req := request(alice, device(3), token(3))
	f.wantEvicted(req, f.register(req), device(2))
}

func limitExpiredDoNotCount(f *fixture) {
	f.fill(alice)
	f.clock.set(start.Add(f.policy.TTL)) // the first has expired, the others have not
	req := request(alice, device(3), token(3))
	f.wantEvicted(req, f.register(req))
	f.wantDevices(alice, device(1), device(2), device(3))
}

func limitOwnExpiredIsNewDevice(f *fixture) {
	old := request(alice, "old", token(9))
	f.register(old)
	f.clock.advance(f.policy.TTL)
	f.fill(alice)
	f.wantEvicted(old, f.register(old), device(0))
	f.wantDevices(alice, device(1), device(2), "old")
}

// limitReinstalled takes the token of the device that would have been evicted.
func limitReinstalled(f *fixture) {
	f.fill(alice)
	req := request(alice, "new", token(0))
	f.wantEvicted(req, f.register(req))
	f.wantNone(key(alice, device(0)))
	f.wantDevices(alice, device(1), device(2), "new")
}

func limitMoveAndEvict(f *fixture) {
	f.fill(alice)
	f.register(request(bob, phone, token(9)))
	req := request(alice, "new", token(9))
	got := f.register(req)
	f.wantEqual("MovedFrom", key(bob, phone), got.MovedFrom)
	got.MovedFrom = tokens.Key{}
	f.wantEvicted(req, got, device(0))
	f.wantNone(key(bob, phone))
	f.wantDevices(alice, device(1), device(2), "new")
}

var evictionChecks = []check{
	{name: "Eviction/InactiveFirst", rule: "eviction-order", policy: three, run: evictionInactiveFirst},
	{name: "Eviction/OldestUpdate", rule: "eviction-order", policy: three, run: evictionOldestUpdate},
	{name: "Eviction/OldestUpdateOfInactive", rule: "eviction-order", policy: three, run: evictionOldestUpdateOfInactive},
	{name: "Eviction/SmallestDeviceID", rule: "eviction-order", policy: three, run: evictionSmallestDeviceID},
	{name: "Eviction/NeverTheNewcomer", rule: "eviction-order", policy: three, run: evictionNeverTheNewcomer},
	{name: "Eviction/Milliseconds", rule: "eviction-order", policy: three, run: evictionMilliseconds},
	{name: "Eviction/AtMostForty", rule: "limit", policy: store.Policy{MaxDevices: 43}, run: evictionAtMostForty},
}

func evictionInactiveFirst(f *fixture) {
	reqs := f.fill(alice)
	f.deactivate(reqs[1].Key)
	f.invalidate(reqs[2].Key, reqs[2].Token, f.clock.Now().Add(time.Hour))
	for i, gone := range []tokens.DeviceID{device(1), device(2), device(0)} {
		req := request(alice, device(3+i), token(3+i))
		f.wantEvicted(req, f.register(req), gone)
		f.clock.advance(time.Minute)
	}
}

// evictionOldestUpdate refreshes the device that was registered first.
func evictionOldestUpdate(f *fixture) {
	reqs := f.fill(alice)
	f.register(reqs[0])
	req := request(alice, device(3), token(3))
	f.wantEvicted(req, f.register(req), device(1))
}

// evictionOldestUpdateOfInactive has devices become inactive in another order than
// that of their last registrations, and for different reasons. Only the last
// registration counts.
func evictionOldestUpdateOfInactive(f *fixture) {
	reqs := f.fill(alice)
	order := []int{1, 2, 0}
	for _, i := range order {
		f.register(reqs[i])
		f.clock.advance(time.Minute)
	}
	for _, req := range reqs {
		if req.Key.DeviceID == device(2) {
			f.deactivate(req.Key)
		} else {
			f.invalidate(req.Key, req.Token, f.clock.Now().Add(time.Hour))
		}
		f.clock.advance(time.Minute)
	}
	for n, i := range order {
		req := request(alice, device(3+n), token(3+n))
		f.wantEvicted(req, f.register(req), device(i))
		f.clock.advance(time.Minute)
	}
}

// evictionSmallestDeviceID has devices of one time. Capitals come before small
// letters in bytes, and letters with accents behind both.
func evictionSmallestDeviceID(f *fixture) {
	for i, d := range []tokens.DeviceID{"b", "é", "C"} {
		f.register(request(alice, d, token(i)))
	}
	for i, gone := range []tokens.DeviceID{"C", "b", "é"} {
		f.clock.advance(time.Minute)
		req := request(alice, device(i), token(3+i))
		f.wantEvicted(req, f.register(req), gone)
	}
}

// evictionMilliseconds has devices of one second, in which milliseconds decide,
// and two of one millisecond, in which the device id does: nothing below a
// millisecond is kept.
func evictionMilliseconds(f *fixture) {
	second := start.Truncate(time.Second)
	for i, d := range []struct {
		id tokens.DeviceID
		at time.Duration
	}{
		{"c", time.Millisecond}, {"b", 3*time.Millisecond + time.Microsecond}, {"a", 3*time.Millisecond + 900*time.Microsecond},
	} {
		f.clock.set(second.Add(d.at))
		f.register(request(alice, d.id, token(i)))
	}
	f.clock.set(second.Add(4 * time.Millisecond))
	for i, gone := range []tokens.DeviceID{"c", "a", "b"} {
		req := request(alice, device(i), token(3+i))
		f.wantEvicted(req, f.register(req), gone)
	}
}

// evictionNeverTheNewcomer has a newcomer that would be the first to go, by its
// time and its id.
func evictionNeverTheNewcomer(f *fixture) {
	f.fill(alice)
	f.clock.set(start.Add(-time.Hour))
	req := request(alice, "a", token(3))
	f.wantEvicted(req, f.register(req), device(0))
	f.wantDevices(alice, "a", device(1), device(2))
}

// crowd brings alice far above the limit, as it was, by her first devices:
// registrations that had expired are back when the clock is set back. A store may
// have freed them meanwhile. One that frees the oldest first has not, because the
// first of all has not expired.
func (f *fixture) crowd() []tokens.Request {
	f.Helper()
	limit := f.policy.MaxDevices
	f.clock.set(start.Add(2 * time.Hour))
	f.register(request(bob, phone, token(999)))

	f.clock.set(start)
	reqs := requests(alice, 2*limit)
	for _, req := range reqs[:limit] {
		f.register(req)
	}
	f.clock.set(start.Add(f.policy.TTL))
	for _, req := range reqs[limit:] {
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
		req := request(alice, tokens.DeviceID("new-"+device(i)), token(2*limit+i))
		f.wantEvicted(req, f.register(req), queue[:n]...)

		older = max(older-n, 0)
		queue = slices.Insert(queue[n:], older, req.Key.DeviceID)
		older++
		f.clock.advance(time.Minute)
	}
	if got := len(f.list(alice)); got != limit {
		f.Errorf("%d devices after three new ones, want %d", got, limit)
	}
}

// limitRefreshAboveIt refreshes and replaces where more is registered than the
// limit allows: nothing goes before the next new device.
func limitRefreshAboveIt(f *fixture) {
	reqs := f.crowd()
	above := f.list(alice)
	for i, req := range []tokens.Request{reqs[3], reqs[4]} {
		req.Token = token(100 + i)
		for _, outcome := range []store.Outcome{store.Replaced, store.Refreshed} {
			got := f.register(req)
			f.wantEqual("Outcome", outcome, got.Outcome)
			f.wantEqual("Evicted", []tokens.Key(nil), got.Evicted)
		}
	}
	if got := len(f.list(alice)); got != len(above) {
		f.Errorf("%d devices after refreshes, want %d as before", got, len(above))
	}
	f.deleteUser(alice)
	f.wantDevices(alice) // DeleteUser does not stop at the limit
}
