package storetest

import (
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// wantResult fails unless got is want with the registration of a Register now that began at
// registeredAt, and the store holds that.
func (f *fixture) wantResult(req tokens.Request, registeredAt time.Time, want, got store.Result) {
	f.Helper()
	want.Registration = f.registered(req, registeredAt, f.clock.Now())
	f.wantEqual("Result", want, got)
	f.wantStored(want.Registration)
	for _, k := range want.Evicted {
		f.wantNone(k)
	}
	if want.Moved() {
		f.wantNone(want.MovedFrom)
	}
}

// creates, refreshes, replaces and moves fail unless a Register has this outcome.
// The registration began at registeredAt.
func (f *fixture) creates(req tokens.Request) {
	f.Helper()
	f.wantResult(req, f.clock.Now(), store.Result{Outcome: store.Created}, f.register(req))
}

func (f *fixture) refreshes(req tokens.Request, registeredAt time.Time) {
	f.Helper()
	f.wantResult(req, registeredAt, store.Result{Outcome: store.Refreshed}, f.register(req))
}

func (f *fixture) replaces(req tokens.Request, registeredAt time.Time) {
	f.Helper()
	f.wantResult(req, registeredAt, store.Result{Outcome: store.Replaced}, f.register(req))
}

func (f *fixture) moves(req tokens.Request, from tokens.Key) {
	f.Helper()
	f.wantResult(req, f.clock.Now(), store.Result{Outcome: store.Created, MovedFrom: from}, f.register(req))
}

// evicts fails unless a new device removes just these devices of its user, in this order.
func (f *fixture) evicts(req tokens.Request, devices ...tokens.DeviceID) {
	f.Helper()
	f.wantEvicted(req, f.register(req), devices...)
}

func (f *fixture) wantEvicted(req tokens.Request, got store.Result, devices ...tokens.DeviceID) {
	f.Helper()
	want := store.Result{Outcome: store.Created}
	for _, d := range devices {
		want.Evicted = append(want.Evicted, key(req.Key.UserID, d))
	}
	f.wantResult(req, f.clock.Now(), want, got)
}

var registerChecks = []check{
	{"Register/New", "result", defaults, func(f *fixture) { f.creates(owned) }},
	{"Register/Refresh", "refreshed", defaults, func(f *fixture) {
		f.register(owned)
		f.clock.advance(36*time.Hour + 5*time.Second)
		f.refreshes(owned, start)
		f.wantDevices(alice, phone)
	}},
	{"Register/Replace", "replaced", defaults, func(f *fixture) {
		f.register(owned)
		f.clock.advance(time.Hour)
		f.replaces(reissued, start)
		f.wantNoHolder(token(1))
		f.wantDevices(alice, phone)

		// The replaced token is free for any registration.
		f.creates(taking)
		f.wantStored(f.registered(reissued, start, f.clock.Now()))
	}},
	{"Register/Respelled", "spelling", defaults, func(f *fixture) {
		texts := spellings(1)
		f.register(request(alice, phone, texts[0]))
		for _, text := range []tokens.Token{texts[1], texts[2], texts[0], texts[2], texts[1], texts[0]} {
			f.clock.advance(time.Hour)
			req := request(alice, phone, text)
			f.refreshes(req, start)
			for _, asked := range texts {
				f.wantEqual("Holder", f.get(req.Key), f.holder(asked))
			}
			f.wantDevices(alice, phone)
		}
	}},
	// The app lost the first answer.
	{"Register/Repeated", "repeat", defaults, func(f *fixture) {
		f.register(owned)
		f.refreshes(owned, start)
	}},
	{"Register/ProjectIDChanged", "replaced", defaults, func(f *fixture) {
		f.register(owned)
		for i, projects := range [][2]tokens.ProjectID{
			{"@acme/other", "@acme/other2"}, {"@acme/app", ""}, {"", "@acme/app"}, {"@acme/app", "@acme/other"}, {"@acme/other", ""},
		} {
			f.clock.advance(time.Hour)
			req := request(alice, phone, token(2+i))
			req.ProjectID = projects[0]
			f.replaces(req, start)
			f.wantNoHolder(token(1 + i))

			f.clock.advance(time.Hour)
			req.ProjectID = projects[1]
			f.refreshes(req, start)
		}
	}},
	{"Register/PlatformChanged", "refreshed", defaults, func(f *fixture) {
		f.register(owned)
		refresh := owned
		refresh.Platform = tokens.Android
		f.refreshes(refresh, start)
		f.replaces(reissued, start)
	}},
	{"Register/Reactivates", "refreshed", defaults, func(f *fixture) {
		f.register(owned)
		f.deactivate(owned.Key)
		f.clock.advance(time.Hour)
		f.refreshes(owned, start)

		f.invalidate(owned.Key, owned.Token, f.clock.Now().Add(time.Hour))
		f.clock.advance(time.Hour)
		f.replaces(reissued, start)

		// This time the reason is a logout, regardless of the earlier one.
		f.deactivate(reissued.Key)
		f.wantStatus(tokens.LoggedOut, reissued, start, f.clock.Now())
	}},
	{"Register/OverExpired", "created", defaults, func(f *fixture) {
		same, other := request(alice, "same token", token(1)), request(alice, "other token", token(2))
		f.register(same)
		f.register(other)
		f.clock.advance(f.policy.TTL)

		same.ProjectID = ""
		f.creates(same)
		other.Token = token(3)
		f.creates(other)
		f.wantNoHolder(token(2))
		f.creates(request(bob, phone, token(2)))
		f.wantStored(f.registered(other, f.clock.Now(), f.clock.Now()))
	}},
	{"Register/OverExpiredAndInactive", "created", defaults, func(f *fixture) {
		f.register(owned)
		f.deactivate(owned.Key)
		f.clock.advance(f.policy.TTL)
		f.creates(owned)
	}},
}

var moveChecks = []check{
	// A phone that changes hands keeps its device id. The other user may have another app.
	{"Move/ToAnotherUser", "take-over", defaults, func(f *fixture) {
		f.register(second)
		f.register(owned)
		f.clock.advance(time.Hour)
		req := taking
		req.Platform, req.ProjectID = tokens.Android, "@acme/other"
		f.moves(req, owned.Key)
		f.wantDevices(alice, second.Key.DeviceID)
		f.wantDevices(bob, phone)
		f.wantUnchanged(second)
	}},
	{"Move/OntoARegistration", "take-over", defaults, func(f *fixture) {
		f.register(owned)
		f.register(request(bob, "tablet", token(2)))
		f.clock.advance(time.Hour)
		req := request(bob, "tablet", token(1))
		f.wantResult(req, start, store.Result{Outcome: store.Replaced, MovedFrom: owned.Key}, f.register(req))
		f.wantNoHolder(token(2))
	}},
	{"Move/Respelled", "spelling", defaults, func(f *fixture) {
		for i, from := range spellings(0) {
			for j, to := range spellings(0) {
				f.deleteUser(alice)
				f.deleteUser(bob)
				f.register(request(alice, phone, from))
				f.moves(request(bob, phone, to), owned.Key)
				if f.Failed() {
					f.Fatalf("spelling %d taken over as spelling %d", i, j)
				}
			}
		}
	}},
	{"Move/ThereAndBack", "take-over", defaults, func(f *fixture) {
		f.register(owned)
		f.clock.advance(time.Hour)
		f.register(taking)
		f.clock.advance(time.Hour)
		f.moves(owned, taking.Key)
	}},
	{"Move/ToldOnce", "moved-from", defaults, func(f *fixture) {
		f.register(owned)
		f.moves(taking, owned.Key)
		f.refreshes(taking, f.clock.Now())
	}},
	{"Move/FromInactive", "moved-from", defaults, func(f *fixture) {
		for _, from := range f.inactive(request(alice, "out", token(1)), request(alice, "gone", token(2))) {
			f.creates(request(bob, from.Key.DeviceID, from.Token))
			f.wantNone(from.Key)
		}
	}},
	// The clock is set back to see the stored data.
	{"Move/FromExpired", "moved-from", defaults, func(f *fixture) {
		f.register(owned)
		f.clock.advance(f.policy.TTL)
		f.creates(taking)

		f.clock.set(start)
		f.wantNone(owned.Key)
		f.wantEqual("Holder", taking.Key, f.holder(token(1)).Key)
	}},
	{"Move/Reinstalled", "take-over", defaults, func(f *fixture) {
		f.register(request(alice, "first", token(1)))
		f.clock.advance(time.Hour)
		f.creates(request(alice, "second", token(1)))
		f.wantNone(key(alice, "first"))
		f.wantDevices(alice, "second")
	}},
	{"Move/ReinstalledOntoARegistration", "take-over", defaults, func(f *fixture) {
		f.register(request(alice, "first", token(1)))
		f.register(request(alice, "second", token(2)))
		f.clock.advance(time.Hour)
		f.replaces(request(alice, "second", token(1)), start)
		f.wantNone(key(alice, "first"))
		f.wantNoHolder(token(2))
		f.wantDevices(alice, "second")
	}},
}
