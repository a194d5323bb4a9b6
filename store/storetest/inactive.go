package storetest

import (
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var invalidateChecks = []check{
	{name: "Invalidate/Marks", rule: "invalidate", run: invalidateMarks},
	{name: "Invalidate/Absent", rule: "invalidate", run: invalidateAbsent},
	{name: "Invalidate/KeepsTheReason", rule: "first-reason", run: invalidateKeepsTheReason},
	{name: "Invalidate/ClockSkew", rule: "invalidate", run: invalidateClockSkew},
	{name: "Invalidate/SentAtAlone", rule: "invalidate", run: invalidateSentAtAlone},
	{name: "Invalidate/RegisteredAgain", rule: "invalidate", run: invalidateRegisteredAgain},
	{name: "Invalidate/Replaced", rule: "invalidate", run: invalidateReplaced},
	{name: "Invalidate/Respelled", rule: "spelling", run: invalidateRespelled},
	{name: "Invalidate/Late", rule: "invalidate", run: invalidateLate},
	{name: "Invalidate/OnlyTheDevice", rule: "own-key", run: invalidateOnlyTheDevice},
	{name: "Invalidate/Expired", rule: "invalidate", run: invalidateExpired},
}

// inactive registers both devices, one of which logs out, while Expo reports the
// other one gone. It returns what the store has to hold.
func (f *fixture) inactive(out, gone tokens.Request) [2]tokens.Registration {
	f.Helper()
	f.register(out)
	f.deactivate(out.Key)
	f.register(gone)
	f.invalidate(gone.Key, gone.Token, f.clock.Now().Add(time.Hour))

	want := [2]tokens.Registration{
		f.registered(out, f.clock.Now(), f.clock.Now()),
		f.registered(gone, f.clock.Now(), f.clock.Now()),
	}
	want[0].Status, want[1].Status = tokens.LoggedOut, tokens.DeviceNotRegistered
	return want
}

func (f *fixture) wantInvalidated(req tokens.Request, registeredAt, updatedAt time.Time) {
	f.Helper()
	want := f.registered(req, registeredAt, updatedAt)
	want.Status = tokens.DeviceNotRegistered
	f.wantStored(want)
}

func invalidateMarks(f *fixture) {
	req := request(alice, phone, token(1))
	f.register(req)
	f.clock.advance(time.Hour)
	for range 2 {
		f.invalidate(req.Key, req.Token, f.clock.Now())
		f.wantInvalidated(req, start, start)
		f.wantDevices(alice)
		f.clock.advance(time.Hour)
	}
}

func invalidateAbsent(f *fixture) {
	f.invalidate(key(alice, phone), token(1), f.clock.Now())
	f.wantNone(key(alice, phone))
	f.wantNoHolder(token(1))
}

func invalidateKeepsTheReason(f *fixture) {
	req := request(alice, phone, token(1))
	f.register(req)
	f.deactivate(req.Key)
	f.invalidate(req.Key, req.Token, f.clock.Now().Add(time.Hour))
	want := f.registered(req, start, start)
	want.Status = tokens.LoggedOut
	f.wantStored(want)
}

// invalidateClockSkew asks on both sides of the boundary. Nothing below a
// millisecond was kept of the update.
func invalidateClockSkew(f *fixture) {
	req := request(alice, phone, token(1))
	f.register(req)
	boundary := start.Truncate(time.Millisecond).Add(store.ClockSkew)
	for _, early := range []time.Time{
		time.Date(1, time.January, 1, 0, 0, 0, 1, time.UTC),
		start.Add(-time.Hour),
		start,
		boundary.Add(-time.Second),
		boundary.Add(-time.Millisecond),
		boundary.Add(-time.Nanosecond),
	} {
		f.invalidate(req.Key, req.Token, early)
		f.wantStored(f.registered(req, start, start))
	}
	for _, late := range []time.Time{
		boundary,
		boundary.UTC(),
		boundary.Add(time.Nanosecond),
		boundary.Add(time.Millisecond),
		time.Date(9999, time.December, 31, 23, 59, 59, 999_999_999, time.UTC),
	} {
		f.invalidate(req.Key, req.Token, late)
		f.wantInvalidated(req, start, start)
		f.register(req)
	}
}

// invalidateSentAtAlone has a clock that is behind, and one that is ahead.
func invalidateSentAtAlone(f *fixture) {
	req := request(alice, phone, token(1))
	f.register(req)
	f.clock.set(start.Add(time.Hour))
	f.invalidate(req.Key, req.Token, start)
	f.wantStored(f.registered(req, start, start))

	f.clock.set(start.Add(-time.Hour))
	f.invalidate(req.Key, req.Token, start.Add(store.ClockSkew))
	f.wantInvalidated(req, start, start)
}

// invalidateRegisteredAgain is a message that was sent before the device
// registered again.
func invalidateRegisteredAgain(f *fixture) {
	req := request(alice, phone, token(1))
	f.register(req)
	sentAt := f.clock.Now().Add(time.Hour)
	f.clock.advance(2 * time.Hour)
	f.register(req)
	f.invalidate(req.Key, req.Token, sentAt)
	f.wantStored(f.registered(req, start, f.clock.Now()))

	f.invalidate(req.Key, req.Token, f.clock.Now().Add(time.Hour))
	f.wantInvalidated(req, start, f.clock.Now())
}

func invalidateReplaced(f *fixture) {
	f.register(request(alice, phone, token(1)))
	req := request(alice, phone, token(2))
	f.register(req)
	f.invalidate(req.Key, token(1), f.clock.Now().Add(time.Hour))
	f.wantStored(f.registered(req, start, start))
}

func invalidateRespelled(f *fixture) {
	for _, registered := range spellings(0) {
		for _, reported := range spellings(0) {
			req := request(alice, phone, registered)
			f.register(req)
			f.invalidate(req.Key, reported, f.clock.Now().Add(time.Hour))
			f.wantInvalidated(req, start, start)
		}
	}
}

// invalidateLate is a message to alice, reported when bob has her phone.
func invalidateLate(f *fixture) {
	f.register(request(alice, phone, token(1)))
	sentAt := f.clock.Now().Add(time.Hour)
	f.clock.advance(2 * time.Hour)
	req := request(bob, phone, token(1))
	f.register(req)
	f.invalidate(key(alice, phone), token(1), sentAt)
	f.invalidate(key(alice, phone), token(1), f.clock.Now().Add(time.Hour))
	f.invalidate(key(bob, phone), token(1), sentAt)
	f.wantStored(f.registered(req, f.clock.Now(), f.clock.Now()))
	f.wantNone(key(alice, phone))
}

func invalidateOnlyTheDevice(f *fixture) {
	tablet := request(alice, "tablet", token(2))
	f.register(tablet)
	others := request(bob, phone, token(3))
	f.register(others)
	f.register(request(alice, phone, token(1)))
	sentAt := f.clock.Now().Add(time.Hour)
	f.invalidate(key(alice, phone), token(1), sentAt)
	f.invalidate(key(alice, phone), token(2), sentAt)
	f.invalidate(key(alice, phone), token(3), sentAt)
	f.wantStored(f.registered(tablet, start, start))
	f.wantStored(f.registered(others, start, start))
}

// invalidateExpired is a report that is handled by a clock that is fast. The
// store may have freed the registration.
func invalidateExpired(f *fixture) {
	req := request(alice, phone, token(1))
	f.register(req)
	f.clock.advance(f.policy.TTL)
	f.invalidate(req.Key, req.Token, start.Add(time.Hour))
	f.wantNone(req.Key)
	f.clock.set(start)
	f.wantDevices(alice)
	if f.holds(req) {
		f.wantInvalidated(req, start, start)
	}
}

var deactivateChecks = []check{
	{name: "Deactivate/Marks", rule: "deactivate", run: deactivateMarks},
	{name: "Deactivate/Absent", rule: "deactivate", run: deactivateAbsent},
	{name: "Deactivate/KeepsTheReason", rule: "first-reason", run: deactivateKeepsTheReason},
	{name: "Deactivate/OnlyTheDevice", rule: "own-key", run: deactivateOnlyTheDevice},
	{name: "Deactivate/Late", rule: "own-key", run: deactivateLate},
	{name: "Deactivate/Expired", rule: "deactivate", run: deactivateExpired},
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
