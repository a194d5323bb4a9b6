package storetest

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// inspectChecks are for a backend whose store is a store.Inspector.
var inspectChecks = []check{
	{"Inspect/None", "inspect", defaults, func(f *fixture) {
		f.wantInspected(alice, holding{})
		f.register(owned)
		f.delete(owned.Key)
		f.register(taking)
		f.wantInspected(alice, holding{})
	}},
	// Inspect changes nothing, so a second one returns the same.
	{"Inspect/EveryState", "inspect", defaults, func(f *fixture) {
		h := f.assorted()
		for range 2 {
			for _, user := range []tokens.UserID{"Alice", "al", alice, "alice ", bob, "carol"} {
				f.wantInspected(user, h)
			}
		}
		f.wantReclaimed("Inspect", h, f.inspect(alice))
	}},
	// It changes the slice that Inspect returned, past its length too.
	{"Inspect/Values", "values", defaults, func(f *fixture) {
		h := holding{}
		for _, req := range firstN(3) {
			f.put(h, req)
		}
		for range 2 {
			f.wantInspected(alice, h)
			records := f.inspect(alice)
			for i := range records[:cap(records)] {
				records[:cap(records)][i] = store.Record{Key: key(alice, "mallory")}
			}
		}
		f.put(h, request(bob, phone, token(9)))
		records := f.inspect(alice)
		f.inspect(bob)
		f.wantHeld("Inspect of alice, after an Inspect of bob,", h, records)
		f.wantEqual("user of a record, after an Inspect of another", alice, records[0].Key.UserID)
	}},
	{"Invalid/Inspect", "invalid", defaults, func(f *fixture) { f.refusesUsers(inspectCall) }},
	contextCheck("Inspect", reads, inspectCall(alice)),
	pairCheck("InspectAndRegister", "one-instant", "inspect", "replace", "take over", "reinstall"),
	{"Race/InspectWhileReplacing", "one-instant", defaults, func(f *fixture) {
		f.showsWholeWrites(func() ([]tokens.Registration, error) {
			records, err := store.Inspect(f.Context(), f.store, alice)
			if err == nil && len(records) != 1 {
				err = errors.New("the registration is not in Inspect")
			}
			return registrations(records), err
		})
	}},
}

// A holding has all registrations of a store. One that cannot be decoded is nil.
type holding map[tokens.Key]*tokens.Registration

func (f *fixture) put(h holding, req tokens.Request) {
	f.Helper()
	result := f.register(req)
	maps.DeleteFunc(h, func(_ tokens.Key, r *tokens.Registration) bool { return r != nil && r.Token.Equal(req.Token) })
	h[req.Key] = &result.Registration
	f.wantEqual("Registration", f.registered(req, result.Registration.RegisteredAt, f.clock.Now()), result.Registration)
}

// assorted makes registrations of several users in every state. Some were registered over
// others, moved, or erased.
func (f *fixture) assorted() holding {
	f.Helper()
	h := holding{}
	n := 0
	add := func(user tokens.UserID, devices ...tokens.DeviceID) {
		for _, d := range devices {
			f.put(h, request(user, d, token(n)))
			switch k := key(user, d); n % 4 {
			case 1:
				f.deactivate(k)
				h[k].Status = tokens.LoggedOut
			case 2:
				f.invalidate(k, token(n), f.clock.Now().Add(time.Hour))
				h[k].Status = tokens.DeviceNotRegistered
			}
			n++
			f.clock.advance(time.Second)
		}
	}
	// The greater user has the smaller device ids, and the other way round.
	f.clock.set(start.Add(-f.policy.TTL))
	add(alice, "a", "expired", "expired too")
	f.clock.set(start)
	add("Alice", "Z", "é", "\uff21", "\U0001f4f1")
	add(alice, "#", "10", "9", "Y", "a", "z")
	add(bob, "#", "9", "B")
	add("al", "a")
	add("alice ", "a")
	f.put(h, request(bob, "9", token(n)))
	f.put(h, request(bob, "moved", h[key(alice, "9")].Token))
	f.put(h, request("carol", "gone", token(n+1)))
	f.delete(key("carol", "gone"))
	delete(h, key("carol", "gone"))
	if f.Corrupt != nil {
		f.put(h, request(bob, "corrupt", token(n+2)))
		f.Corrupt(f, f.store, key(bob, "corrupt"))
		h[key(bob, "corrupt")] = nil
	}
	f.clock.advance(time.Hour)
	return h
}

// wantRecords fails unless the records are as in h and include each wanted key.
// A store may have erased what has expired.
func (f *fixture) wantRecords(what string, h holding, wanted func(tokens.Key) bool, records []store.Record) {
	f.Helper()
	f.wantHeld(what, h, records)
	for k, reg := range h {
		if wanted(k) && (reg == nil || !reg.Expired(f.clock.Now())) && !shows(records, k) {
			f.Errorf("%s does not show %v", what, k)
		}
	}
}

func shows(records []store.Record, k tokens.Key) bool {
	return slices.ContainsFunc(records, func(r store.Record) bool { return r.Key == k })
}

// wantReclaimed fails unless the live registrations are stored. It sets the clock
// back, and fails if an expired one that the records do not show is still stored.
func (f *fixture) wantReclaimed(what string, h holding, records []store.Record) {
	f.Helper()
	now := f.clock.Now()
	for _, reg := range h {
		if reg != nil && !reg.Expired(now) {
			f.wantStored(*reg)
		}
	}
	f.clock.set(start.Add(-time.Hour))
	defer f.clock.set(now)
	for k, reg := range h {
		if reg != nil && reg.Expired(now) && !shows(records, k) && f.holds(tokens.Request{Key: k}) {
			f.Errorf("%s does not show %v, which has expired and is still stored", what, k)
		}
	}
}

func everything(tokens.Key) bool { return true }

func (f *fixture) wantHeld(what string, h holding, records []store.Record) {
	f.Helper()
	for _, r := range records {
		reg, held := h[r.Key]
		switch {
		case !held:
			f.Errorf("%s shows %v, which is not a registration that is stored", what, r.Key)
		case reg != nil:
			f.wantEqual(what, store.Record{Key: r.Key, Registration: *reg}, r)
		default:
			f.wantCorrupt(what, r)
		}
	}
}

func (f *fixture) inspect(user tokens.UserID) []store.Record {
	f.Helper()
	records, err := store.Inspect(f.Context(), f.store, user)
	f.must(err, "Inspect of %v", user)
	byDevice := func(a, b store.Record) int { return cmp.Compare(a.Key.DeviceID, b.Key.DeviceID) }
	if !slices.IsSortedFunc(records, byDevice) {
		f.Errorf("Inspect of %s is not ordered by device id", user)
	}
	return records
}

// wantInspected fails unless Inspect shows each registration of the user once.
func (f *fixture) wantInspected(user tokens.UserID, h holding) {
	f.Helper()
	records := f.inspect(user)
	f.wantRecords("Inspect", h, func(k tokens.Key) bool { return k.UserID == user }, records)
	for i, r := range records {
		if r.Key.UserID != user || i > 0 && r.Key == records[i-1].Key {
			f.Errorf("Inspect of %s shows %v", user, r.Key)
		}
	}
}

func registrations(records []store.Record) []tokens.Registration {
	var regs []tokens.Registration
	for _, r := range records {
		regs = append(regs, r.Registration)
	}
	return regs
}
