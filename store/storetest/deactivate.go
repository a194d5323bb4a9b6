package storetest

import (
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

var deactivateChecks = []check{
	{name: "Deactivate/Marks", run: deactivateMarks},
	{name: "Deactivate/Absent", run: deactivateAbsent},
	{name: "Deactivate/KeepsTheReason", run: deactivateKeepsTheReason},
	{name: "Deactivate/OnlyTheDevice", run: deactivateOnlyTheDevice},
	{name: "Deactivate/Late", run: deactivateLate},
	{name: "Deactivate/Expired", run: deactivateExpired},
}

func deactivateMarks(f *fixture) {
	req := request(alice, phone, token(1))
	f.register(req)
	f.clock.advance(time.Hour)
	for range 2 {
		f.deactivate(req.Key)
		want := f.registered(req, start, start)
		want.Status = tokens.LoggedOut
		f.wantStored(want)
		f.wantDevices(alice)
		f.clock.advance(time.Hour)
	}
}

func deactivateAbsent(f *fixture) {
	f.deactivate(key(alice, phone))
	f.wantNone(key(alice, phone))
	f.register(request(alice, "tablet", token(1)))
	f.deactivate(key(alice, phone))
	f.wantNone(key(alice, phone))
}

func deactivateKeepsTheReason(f *fixture) {
	req := request(alice, phone, token(1))
	f.register(req)
	f.invalidate(req.Key, req.Token, f.clock.Now().Add(time.Hour))
	f.deactivate(req.Key)
	want := f.registered(req, start, start)
	want.Status = tokens.DeviceNotRegistered
	f.wantStored(want)
}

func deactivateOnlyTheDevice(f *fixture) {
	tablet := request(alice, "tablet", token(2))
	f.register(tablet)
	others := request(bob, phone, token(3))
	f.register(others)
	f.register(request(alice, phone, token(1)))
	f.deactivate(key(alice, phone))
	f.wantStored(f.registered(tablet, start, start))
	f.wantStored(f.registered(others, start, start))
}

// deactivateLate is alice's logout that arrives when bob is logged in on the
// same phone.
func deactivateLate(f *fixture) {
	f.register(request(alice, phone, token(1)))
	req := request(bob, phone, token(1))
	f.register(req)
	f.deactivate(key(alice, phone))
	f.wantStored(f.registered(req, start, start))
	f.wantNone(key(alice, phone))
}

// deactivateExpired is a logout by a clock that is fast: once it is right again,
// the logout must have happened. The store may have freed the registration.
func deactivateExpired(f *fixture) {
	req := request(alice, phone, token(1))
	f.register(req)
	f.clock.advance(f.policy.TTL)
	f.deactivate(req.Key)
	f.wantNone(req.Key)
	f.clock.set(start)
	f.wantDevices(alice)
	if f.holds(req) {
		want := f.registered(req, start, start)
		want.Status = tokens.LoggedOut
		f.wantStored(want)
	}
}
