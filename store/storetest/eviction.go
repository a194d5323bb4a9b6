package storetest

import (
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var evictionChecks = []check{
	{name: "Eviction/InactiveFirst", policy: three, run: evictionInactiveFirst},
	{name: "Eviction/OldestUpdate", policy: three, run: evictionOldestUpdate},
	{name: "Eviction/OldestUpdateOfInactive", policy: three, run: evictionOldestUpdateOfInactive},
	{name: "Eviction/SmallestDeviceID", policy: three, run: evictionSmallestDeviceID},
	{name: "Eviction/NeverTheNewcomer", policy: three, run: evictionNeverTheNewcomer},
	{name: "Eviction/AtMostForty", policy: store.Policy{MaxDevices: 43}, run: evictionAtMostForty},
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

// evictionOldestUpdateOfInactive deactivates in another order than that of the
// last registrations, which is what counts.
func evictionOldestUpdateOfInactive(f *fixture) {
	reqs := f.fill(alice)
	order := []int{1, 2, 0}
	for _, i := range order {
		f.register(reqs[i])
		f.clock.advance(time.Minute)
	}
	for _, req := range reqs {
		f.deactivate(req.Key)
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

// evictionNeverTheNewcomer has a newcomer that would be the first to go, by its
// time and its id.
func evictionNeverTheNewcomer(f *fixture) {
	f.fill(alice)
	f.clock.set(start.Add(-time.Hour))
	req := request(alice, "a", token(3))
	f.wantEvicted(req, f.register(req), device(0))
	f.wantDevices(alice, "a", device(1), device(2))
}

// evictionAtMostForty brings a user far above the limit: registrations that had
// expired are back when the clock is set back. A store may have freed them
// meanwhile. One that frees the oldest first has not, because the first of all
// has not expired.
func evictionAtMostForty(f *fixture) {
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
