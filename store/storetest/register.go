package storetest

import (
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var registerChecks = []check{
	{name: "Register/New", rule: "result", run: registerNew},
	{name: "Register/Refresh", rule: "refreshed", run: registerRefresh},
	{name: "Register/Replace", rule: "replaced", run: registerReplace},
	{name: "Register/Respelled", rule: "spelling", run: registerRespelled},
	{name: "Register/Repeated", rule: "repeat", run: registerRepeated},
	{name: "Register/ProjectIDCleared", rule: "refreshed", run: registerProjectIDCleared},
	{name: "Register/ProjectIDChanged", rule: "replaced", run: registerProjectIDChanged},
	{name: "Register/PlatformChanged", rule: "refreshed", run: registerPlatformChanged},
	{name: "Register/Reactivates", rule: "refreshed", run: registerReactivates},
	{name: "Register/OverExpired", rule: "created", run: registerOverExpired},
	{name: "Register/OverExpiredAndInactive", rule: "created", run: registerOverExpiredAndInactive},
}

// wantResult fails unless a Register at the time of the clock had the
// outcome and changed no other registration.
func (f *fixture) wantResult(req tokens.Request, outcome store.Outcome, registeredAt time.Time, got store.Result) {
	f.Helper()
	want := store.Result{
		Registration: f.registered(req, registeredAt, f.clock.Now()),
		Outcome:      outcome,
	}
	f.wantEqual("Result", want, got)
	f.wantStored(want.Registration)
}

func registerNew(f *fixture) {
	req := request(alice, phone, token(1))
	f.wantResult(req, store.Created, f.clock.Now(), f.register(req))
}

func registerRefresh(f *fixture) {
	req := request(alice, phone, token(1))
	f.register(req)
	f.clock.advance(36*time.Hour + 5*time.Second)
	f.wantResult(req, store.Refreshed, start, f.register(req))
	f.wantDevices(alice, phone)
}

func registerReplace(f *fixture) {
	f.register(request(alice, phone, token(1)))
	f.clock.advance(time.Hour)
	req := request(alice, phone, token(2))
	f.wantResult(req, store.Replaced, start, f.register(req))
	f.wantNoHolder(token(1))
	f.wantDevices(alice, phone)

	// The replaced token is free for any registration.
	other := request(bob, phone, token(1))
	f.wantResult(other, store.Created, f.clock.Now(), f.register(other))
	f.wantStored(f.registered(req, start, f.clock.Now()))
}

func registerRespelled(f *fixture) {
	texts := spellings(1)
	f.register(request(alice, phone, texts[0]))
	for _, text := range []tokens.Token{texts[1], texts[2], texts[0], texts[2], texts[1], texts[0]} {
		f.clock.advance(time.Hour)
		req := request(alice, phone, text)
		f.wantResult(req, store.Refreshed, start, f.register(req))
		for _, asked := range texts {
			f.wantEqual("Holder", f.get(req.Key), f.holder(asked))
		}
		f.wantDevices(alice, phone)
	}
}

// registerRepeated is the app that lost the first answer.
func registerRepeated(f *fixture) {
	req := request(alice, phone, token(1))
	f.register(req)
	f.wantResult(req, store.Refreshed, start, f.register(req))
}

func registerProjectIDCleared(f *fixture) {
	f.register(request(alice, phone, token(1)))

	refresh := request(alice, phone, token(1))
	refresh.ProjectID = ""
	f.wantResult(refresh, store.Refreshed, start, f.register(refresh))

	named := request(alice, phone, token(1))
	named.ProjectID = "@acme/other"
	f.wantResult(named, store.Refreshed, start, f.register(named))

	replace := request(alice, phone, token(2))
	replace.ProjectID = ""
	f.wantResult(replace, store.Replaced, start, f.register(replace))
}

// registerProjectIDChanged changes the project with the token, without it, and
// back, an hour apart: the registration began when it began.
func registerProjectIDChanged(f *fixture) {
	f.register(request(alice, phone, token(1)))
	for i, project := range []tokens.ProjectID{"@acme/other", "@acme/app", "", "@acme/app", "@acme/app"} {
		f.clock.advance(time.Hour)
		replace := request(alice, phone, token(2+i))
		replace.ProjectID = project
		f.wantResult(replace, store.Replaced, start, f.register(replace))
		f.wantNoHolder(token(1 + i))

		f.clock.advance(time.Hour)
		refresh := replace
		refresh.ProjectID = project + "2"
		f.wantResult(refresh, store.Refreshed, start, f.register(refresh))
	}
}

func registerPlatformChanged(f *fixture) {
	f.register(request(alice, phone, token(1)))
	refresh := request(alice, phone, token(1))
	refresh.Platform = tokens.Android
	f.wantResult(refresh, store.Refreshed, start, f.register(refresh))
	replace := request(alice, phone, token(2))
	f.wantResult(replace, store.Replaced, start, f.register(replace))
}

func registerReactivates(f *fixture) {
	req := request(alice, phone, token(1))
	f.register(req)
	f.deactivate(req.Key)
	f.clock.advance(time.Hour)
	f.wantResult(req, store.Refreshed, start, f.register(req))

	f.invalidate(req.Key, req.Token, f.clock.Now().Add(time.Hour))
	f.clock.advance(time.Hour)
	replace := request(alice, phone, token(2))
	f.wantResult(replace, store.Replaced, start, f.register(replace))

	// This time the reason is a logout, regardless of the earlier one.
	f.deactivate(req.Key)
	want := f.registered(replace, start, f.clock.Now())
	want.Status = tokens.LoggedOut
	f.wantStored(want)
}

func registerOverExpired(f *fixture) {
	for _, req := range []tokens.Request{
		request(alice, "same token", token(1)),
		request(alice, "other token", token(2)),
	} {
		f.register(req)
	}
	f.clock.advance(f.policy.TTL)

	same := request(alice, "same token", token(1))
	same.ProjectID = ""
	f.wantResult(same, store.Created, f.clock.Now(), f.register(same))

	other := request(alice, "other token", token(3))
	f.wantResult(other, store.Created, f.clock.Now(), f.register(other))
	f.wantNoHolder(token(2))
	free := request(bob, phone, token(2))
	f.wantResult(free, store.Created, f.clock.Now(), f.register(free))
	f.wantStored(f.registered(other, f.clock.Now(), f.clock.Now()))
}

func registerOverExpiredAndInactive(f *fixture) {
	req := request(alice, phone, token(1))
	f.register(req)
	f.deactivate(req.Key)
	f.clock.advance(f.policy.TTL)
	f.wantResult(req, store.Created, f.clock.Now(), f.register(req))
}

var moveChecks = []check{
	{name: "Move/ToAnotherUser", rule: "take-over", run: moveToAnotherUser},
	{name: "Move/OntoARegistration", rule: "take-over", run: moveOntoARegistration},
	{name: "Move/Respelled", rule: "spelling", run: moveRespelled},
	{name: "Move/ThereAndBack", rule: "take-over", run: moveThereAndBack},
	{name: "Move/ToldOnce", rule: "moved-from", run: moveToldOnce},
	{name: "Move/FromInactive", rule: "moved-from", run: moveFromInactive},
	{name: "Move/FromExpired", rule: "moved-from", run: moveFromExpired},
	{name: "Move/Reinstalled", rule: "take-over", run: moveReinstalled},
	{name: "Move/ReinstalledOntoARegistration", rule: "take-over", run: moveReinstalledOntoARegistration},
}

// wantMove fails unless the result names from, and nothing is left there.
func (f *fixture) wantMove(req tokens.Request, outcome store.Outcome, registeredAt time.Time, from tokens.Key, got store.Result) {
	f.Helper()
	want := store.Result{
		Registration: f.registered(req, registeredAt, f.clock.Now()),
		Outcome:      outcome,
		MovedFrom:    from,
	}
	f.wantEqual("Result", want, got)
	f.wantStored(want.Registration)
	f.wantNone(from)
}

// moveToAnotherUser is the bug that this project prevents: a phone changes
// hands, and keeps its device id. The other user may have another app.
func moveToAnotherUser(f *fixture) {
	kept := request(alice, "tablet", token(2))
	f.register(kept)
	f.register(request(alice, phone, token(1)))
	f.clock.advance(time.Hour)
	req := request(bob, phone, token(1))
	req.Platform, req.ProjectID = tokens.Android, "@acme/other"
	f.wantMove(req, store.Created, f.clock.Now(), key(alice, phone), f.register(req))
	f.wantDevices(alice, "tablet")
	f.wantDevices(bob, phone)
	f.wantStored(f.registered(kept, start, start))
}

func moveOntoARegistration(f *fixture) {
	f.register(request(alice, phone, token(1)))
	f.register(request(bob, "tablet", token(2)))
	f.clock.advance(time.Hour)
	req := request(bob, "tablet", token(1))
	f.wantMove(req, store.Replaced, start, key(alice, phone), f.register(req))
	f.wantNoHolder(token(2))
}

func moveRespelled(f *fixture) {
	for i, from := range spellings(0) {
		for j, to := range spellings(0) {
			f.deleteUser(alice)
			f.deleteUser(bob)
			f.register(request(alice, phone, from))
			req := request(bob, phone, to)
			f.wantMove(req, store.Created, f.clock.Now(), key(alice, phone), f.register(req))
			if f.Failed() {
				f.Fatalf("spelling %d taken over as spelling %d", i, j)
			}
		}
	}
}

func moveThereAndBack(f *fixture) {
	f.register(request(alice, phone, token(1)))
	f.clock.advance(time.Hour)
	f.register(request(bob, phone, token(1)))
	f.clock.advance(time.Hour)
	req := request(alice, phone, token(1))
	f.wantMove(req, store.Created, f.clock.Now(), key(bob, phone), f.register(req))
}

func moveToldOnce(f *fixture) {
	f.register(request(alice, phone, token(1)))
	req := request(bob, phone, token(1))
	if got := f.register(req); !got.Moved() {
		f.Error("the first answer does not tell of the move")
	}
	f.wantResult(req, store.Refreshed, f.clock.Now(), f.register(req))
}

func moveFromInactive(f *fixture) {
	inactivate := []func(tokens.Request){
		func(r tokens.Request) { f.deactivate(r.Key) },
		func(r tokens.Request) { f.invalidate(r.Key, r.Token, f.clock.Now().Add(time.Hour)) },
	}
	for i, do := range inactivate {
		from, to := request(alice, device(i), token(i)), request(bob, device(i), token(i))
		f.register(from)
		do(from)
		f.wantResult(to, store.Created, f.clock.Now(), f.register(to))
		f.wantNone(from.Key)
	}
}

// moveFromExpired sets the clock back, to see the stored data.
func moveFromExpired(f *fixture) {
	from := request(alice, phone, token(1))
	f.register(from)
	f.clock.advance(f.policy.TTL)
	to := request(bob, phone, token(1))
	f.wantResult(to, store.Created, f.clock.Now(), f.register(to))

	f.clock.set(start)
	f.wantNone(from.Key)
	f.wantEqual("Holder", to.Key, f.holder(token(1)).Key)
}

// moveReinstalled is an app that was installed again, under a new device id.
func moveReinstalled(f *fixture) {
	f.register(request(alice, "first", token(1)))
	f.clock.advance(time.Hour)
	req := request(alice, "second", token(1))
	f.wantResult(req, store.Created, f.clock.Now(), f.register(req))
	f.wantNone(key(alice, "first"))
	f.wantDevices(alice, "second")
}

func moveReinstalledOntoARegistration(f *fixture) {
	f.register(request(alice, "first", token(1)))
	f.register(request(alice, "second", token(2)))
	f.clock.advance(time.Hour)
	req := request(alice, "second", token(1))
	f.wantResult(req, store.Replaced, start, f.register(req))
	f.wantNone(key(alice, "first"))
	f.wantNoHolder(token(2))
	f.wantDevices(alice, "second")
}
