package storetest

import (
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A removal is a call that ends the use of a registration.
type removal struct {
	method string
	do     func(*fixture, tokens.Request)
	status tokens.Status // "" if the call erases the registration
}

var (
	deactivates = removal{method: "Deactivate", do: func(f *fixture, r tokens.Request) { f.deactivate(r.Key) }, status: tokens.LoggedOut}
	invalidates = removal{
		method: "Invalidate",
		do:     func(f *fixture, r tokens.Request) { f.invalidate(r.Key, r.Token, start.Add(time.Hour)) },
		status: tokens.DeviceNotRegistered,
	}
	deletes     = removal{method: "Delete", do: func(f *fixture, r tokens.Request) { f.delete(r.Key) }}
	deletesUser = removal{method: "DeleteUser", do: func(f *fixture, r tokens.Request) { f.deleteUser(r.Key.UserID) }}
)

var removalChecks = []check{
	{"Deactivate/Absent", "deactivate", defaults, deactivates.ofNothing},
	{"Deactivate/Marks", "deactivate", defaults, deactivates.marks},
	{"Deactivate/KeepsTheReason", "first-reason", defaults, deactivates.keepsTheReason},
	{"Deactivate/OnlyTheDevice", "own-key", defaults, deactivates.onlyTheDevice},
	{"Deactivate/Late", "own-key", defaults, deactivates.late},
	{"Deactivate/Expired", "deactivate", defaults, deactivates.marksExpired},
	{"Invalidate/Absent", "invalidate", defaults, invalidates.ofNothing},
	{"Invalidate/Marks", "invalidate", defaults, invalidates.marks},
	{"Invalidate/KeepsTheReason", "first-reason", defaults, invalidates.keepsTheReason},
	{"Invalidate/OnlyTheDevice", "own-key", defaults, invalidates.onlyTheDevice},
	{"Invalidate/Expired", "invalidate", defaults, invalidates.marksExpired},
	{"Invalidate/ClockSkew", "invalidate", defaults, invalidateClockSkew},
	// The server's clock is fast, then slow.
	{"Invalidate/SentAtAlone", "invalidate", defaults, func(f *fixture) {
		f.register(owned)
		f.clock.set(start.Add(time.Hour))
		f.invalidate(owned.Key, owned.Token, start)
		f.wantUnchanged(owned)

		f.clock.set(start.Add(-time.Hour))
		f.invalidate(owned.Key, owned.Token, start.Add(store.ClockSkew))
		f.wantStatus(tokens.DeviceNotRegistered, owned, start, start)
	}},
	// The message was sent before the device registered again.
	{"Invalidate/RegisteredAgain", "invalidate", defaults, func(f *fixture) {
		f.register(owned)
		f.clock.advance(2 * time.Hour)
		f.register(owned)
		f.invalidate(owned.Key, owned.Token, start.Add(time.Hour))
		f.wantStored(f.registered(owned, start, f.clock.Now()))

		f.invalidate(owned.Key, owned.Token, f.clock.Now().Add(time.Hour))
		f.wantStatus(tokens.DeviceNotRegistered, owned, start, f.clock.Now())
	}},
	// The device replaced one of these tokens. Another device and another user have the
	// others.
	{"Invalidate/OtherToken", "invalidate", defaults, func(f *fixture) {
		req, others := request(alice, phone, token(4)), request(bob, phone, token(3))
		for _, r := range []tokens.Request{owned, req, second, others} {
			f.register(r)
		}
		for _, other := range []tokens.Token{owned.Token, second.Token, others.Token} {
			f.invalidate(req.Key, other, start.Add(time.Hour))
			f.wantUnchanged(req)
			f.wantUnchanged(second)
			f.wantUnchanged(others)
		}
	}},
	{"Invalidate/Respelled", "spelling", defaults, func(f *fixture) {
		for _, registered := range spellings(0) {
			for _, reported := range spellings(0) {
				req := request(alice, phone, registered)
				f.register(req)
				f.invalidate(req.Key, reported, start.Add(time.Hour))
				f.wantStatus(tokens.DeviceNotRegistered, req, start, start)
			}
		}
	}},
	// A message to alice is reported when bob has her phone.
	{"Invalidate/Late", "invalidate", defaults, func(f *fixture) {
		f.register(owned)
		sentAt := start.Add(time.Hour)
		f.clock.advance(2 * time.Hour)
		f.register(taking)
		f.invalidate(owned.Key, owned.Token, sentAt)
		f.invalidate(owned.Key, owned.Token, f.clock.Now().Add(time.Hour))
		f.invalidate(taking.Key, taking.Token, sentAt)
		f.wantStored(f.registered(taking, f.clock.Now(), f.clock.Now()))
		f.wantNone(owned.Key)
	}},
	{"Delete/Absent", "delete", defaults, deletes.ofNothing},
	{"Delete/Erases", "delete", defaults, deletes.erases},
	{"Delete/OnlyTheDevice", "own-key", defaults, deletes.onlyTheDevice},
	{"Delete/Late", "own-key", defaults, deletes.late},
	{"Delete/Expired", "delete", defaults, deletes.erasesExpired},
	{"DeleteUser/Absent", "delete-user", defaults, deletesUser.ofNothing},
	{"DeleteUser/Erases", "delete-user", defaults, deletesUser.erases},
	{"DeleteUser/OnlyTheUser", "own-key", defaults, func(f *fixture) {
		users := []tokens.UserID{"al", "alice ", "alice#", "Alice", "alicea", "bob"}
		for i, user := range users {
			f.register(request(user, phone, token(i)))
		}
		f.register(request(alice, phone, token(len(users))))
		for _, user := range []tokens.UserID{alice, "a%", "a*", "alice_"} { // the patterns are not users
			f.deleteUser(user)
		}
		f.wantNone(owned.Key)
		for i, user := range users {
			f.wantUnchanged(request(user, phone, token(i)))
		}
	}},
	{"DeleteUser/Late", "own-key", defaults, deletesUser.late},
	{"DeleteUser/Expired", "delete-user", defaults, deletesUser.erasesExpired},
	// These are more registrations than a transaction of DynamoDB takes, 100 items.
	{"DeleteUser/Many", "delete-user", store.Policy{MaxDevices: store.MaxMaxDevices}, func(f *fixture) {
		const many = 120
		reqs := firstN(many)
		for _, req := range reqs {
			f.register(req)
		}
		f.wantEqual("number of devices", many, len(f.list(alice)))
		f.deleteUser(alice)
		f.wantDevices(alice)
		for _, req := range []tokens.Request{reqs[0], reqs[many/2], reqs[many-1]} {
			f.wantErased(req)
		}
	}},
}

func (r removal) ofNothing(f *fixture) {
	for range 2 {
		r.do(f, owned)
		f.wantNone(owned.Key)
		f.wantNoHolder(owned.Token)
		f.register(second)
	}
	if r.status == "" {
		f.register(owned)
		for range 2 {
			r.do(f, owned)
			f.wantNone(owned.Key)
		}
	}
}

func (r removal) onlyTheDevice(f *fixture) {
	others := request(bob, phone, token(3))
	for _, req := range []tokens.Request{owned, second, others} {
		f.register(req)
	}
	r.do(f, owned)
	f.wantUnchanged(second)
	f.wantUnchanged(others)
}

// late is alice's logout that arrives when bob is logged in on the same phone.
func (r removal) late(f *fixture) {
	f.register(owned)
	f.register(taking)
	r.do(f, owned)
	f.wantUnchanged(taking)
	f.wantNone(owned.Key)
}

func (r removal) marks(f *fixture) {
	f.register(owned)
	f.clock.advance(time.Hour)
	for range 2 {
		r.do(f, owned)
		f.wantStatus(r.status, owned, start, start)
		f.wantDevices(alice)
		f.clock.advance(time.Hour)
	}
}

func (r removal) keepsTheReason(f *fixture) {
	first := deactivates
	if r.status == first.status {
		first = invalidates
	}
	f.register(owned)
	first.do(f, owned)
	r.do(f, owned)
	f.wantStatus(first.status, owned, start, start)
}

// marksExpired has a clock that is fast. When it is right again, the registration is not
// active, or was erased.
func (r removal) marksExpired(f *fixture) {
	f.register(owned)
	f.clock.advance(f.policy.TTL)
	r.do(f, owned)
	f.wantNone(owned.Key)
	f.clock.set(start)
	f.wantDevices(alice)
	if f.holds(owned) {
		f.wantStatus(r.status, owned, start, start)
	}
}

func (r removal) erases(f *fixture) {
	reqs := firstN(3)
	f.inactive(reqs[0], reqs[1])
	f.register(reqs[2])
	for _, req := range reqs {
		r.do(f, req)
	}
	f.wantDevices(alice)
	for _, req := range reqs {
		f.wantErased(req)
	}
}

func (r removal) erasesExpired(f *fixture) {
	f.register(owned)
	f.clock.advance(time.Hour)
	f.register(second)
	f.clock.set(start.Add(f.policy.TTL))
	r.do(f, owned)
	r.do(f, second)
	f.clock.set(start)
	f.wantErased(owned)
	f.wantErased(second)
}

// inactive deactivates the first device and invalidates the second. It returns the expected
// registrations.
func (f *fixture) inactive(out, gone tokens.Request) [2]tokens.Registration {
	f.Helper()
	f.register(out)
	f.deactivate(out.Key)
	f.register(gone)
	f.invalidate(gone.Key, gone.Token, f.clock.Now().Add(time.Hour))

	now := f.clock.Now()
	want := [2]tokens.Registration{f.registered(out, now, now), f.registered(gone, now, now)}
	want[0].Status, want[1].Status = tokens.LoggedOut, tokens.DeviceNotRegistered
	return want
}

// wantErased fails if anything is left of req. The device registers with another token
// first, so that a store that still finds the old one shows it.
func (f *fixture) wantErased(req tokens.Request) {
	f.Helper()
	f.wantNone(req.Key)
	f.wantNoHolder(req.Token)

	f.clock.advance(time.Hour)
	back := req
	back.Token = tokens.MustParseToken("ExponentPushToken[back-" + req.Token.Hash().String() + "]")
	f.creates(back)
	f.wantNoHolder(req.Token)

	other := request("erin", req.Key.DeviceID, req.Token)
	f.creates(other)
	now := f.clock.Now()
	f.wantEqual("Get", f.registered(back, now, now), f.get(req.Key))
	f.wantResult(req, now, store.Result{Outcome: store.Replaced, MovedFrom: other.Key}, f.register(req))
}

// invalidateClockSkew has times on both sides of the boundary. The store keeps
// the milliseconds of UpdatedAt.
func invalidateClockSkew(f *fixture) {
	f.register(owned)
	boundary := start.Truncate(time.Millisecond).Add(store.ClockSkew)
	for _, early := range []time.Time{
		time.Date(1, time.January, 1, 0, 0, 0, 1, time.UTC), start.Add(-time.Hour), start,
		boundary.Add(-time.Second), boundary.Add(-time.Millisecond), boundary.Add(-time.Nanosecond),
	} {
		f.invalidate(owned.Key, owned.Token, early)
		f.wantUnchanged(owned)
	}
	for _, late := range []time.Time{
		boundary, boundary.UTC(), boundary.Add(time.Nanosecond), boundary.Add(time.Millisecond),
		time.Date(9999, time.December, 31, 23, 59, 59, 999_999_999, time.UTC),
	} {
		f.invalidate(owned.Key, owned.Token, late)
		f.wantStatus(tokens.DeviceNotRegistered, owned, start, start)
		f.register(owned)
	}
}
