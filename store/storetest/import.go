package storetest

import (
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// importChecks are for a backend whose store is a store.Importer.
var importChecks = []check{
	{"Import/Rule", "import", defaults, importRule},
	{"Import/Times", "import", defaults, importTimes},
	{"Import/Over", "import", defaults, importOver},
	{"Import/Respelled", "spelling", defaults, importRespelled},
	// An import may exceed the limit, and the next new device restores it. The device
	// without an UpdatedAt is the oldest.
	{"Import/NoLimit", "import", three, func(f *fixture) {
		for i, req := range firstN(5) {
			r := f.registered(req, start, start.Add(time.Duration(i)*time.Minute))
			if i == 3 {
				r.UpdatedAt = time.Time{}
			}
			f.wantImported(store.Imported, r)
		}
		f.wantDevices(alice, device(0), device(1), device(2), device(3), device(4))
		f.clock.advance(time.Hour)
		req := request(alice, "new", token(9))
		f.evicts(req, device(3), device(0), device(1))
		f.wantDevices(alice, device(2), device(4), "new")

		// A user whose device was imported for another user has room for a new one.
		f.wantImported(store.Imported, f.registered(request(bob, phone, token(2)), start, f.clock.Now()))
		f.evicts(request(alice, "newer", token(10)))
	}},
	// Only an import brings the status Inactive, which stays like any first reason.
	{"Import/NoReasonKnown", "first-reason", defaults, func(f *fixture) {
		r := f.registered(owned, start, start.Add(-time.Hour))
		r.Status = tokens.Inactive
		f.wantImported(store.Imported, r)
		f.deactivate(r.Key)
		f.wantStored(r)
		f.invalidate(r.Key, r.Token, start.Add(time.Hour))
		f.wantStored(r)
		f.refreshes(owned, start)
	}},
	// If no times are known, every message is newer, and a refresh may set RegisteredAt.
	{"Import/NoUpdateKnown", "invalidate", defaults, func(f *fixture) {
		r := f.registered(owned, start, start)
		r.RegisteredAt, r.UpdatedAt = time.Time{}, time.Time{}
		f.wantImported(store.Imported, r)
		f.invalidate(r.Key, token(2), start)
		f.wantStored(r)
		f.invalidate(r.Key, r.Token, time.Date(1, time.January, 1, 0, 0, 0, 1, time.UTC))
		r.Status = tokens.DeviceNotRegistered
		f.wantStored(r)
		got := f.register(owned)
		if !got.Registration.RegisteredAt.IsZero() {
			r.RegisteredAt = f.clock.Now()
		}
		f.wantResult(owned, r.RegisteredAt, store.Result{Outcome: store.Refreshed}, got)
	}},
	{"Invalid/Import", "invalid", defaults, invalidImport},
	{"Context/Import", "context", defaults, func(f *fixture) {
		f.obeysContext(writes, importCall(f.registered(taking, start, start.Add(time.Hour))))
	}},
}

func (f *fixture) wantImported(want store.ImportOutcome, r tokens.Registration) {
	f.Helper()
	got, err := store.Import(f.Context(), f.store, r)
	f.must(err, "Import of %v", r.Key)
	if got != want {
		f.Fatalf("Import of %v: got %q, want %q", r.Key, got, want)
	}
}

func importTimes(f *fixture) {
	west := time.FixedZone("", -5*3600)
	last := time.Date(9999, time.December, 31, 23, 59, 59, 999_999_999, time.UTC)
	for i, times := range []struct{ registered, updated, expires time.Time }{
		{start.Add(-time.Hour), start.Add(-time.Minute), start.Add(time.Hour)},
		{start.In(west).Add(999_999), start.In(west).Add(999_999), start.In(west).Add(999_999_999)},
		{time.Time{}, start, start.Add(20 * 365 * 24 * time.Hour)},
		{start, time.Time{}, start.Add(time.Minute)},
		{start, start, time.Time{}},
		{start, start.Add(-80 * 24 * time.Hour), time.Time{}},
		{time.Time{}, time.Time{}, time.Time{}},
		{last, last, last},
		{last, last, time.Time{}},
		{time.Date(1, time.January, 1, 0, 0, 0, 1_000_000, time.UTC), time.Date(1969, time.July, 20, 20, 17, 40, 0, time.UTC), start.Add(time.Hour)},
	} {
		for j, status := range []tokens.Status{tokens.Active, tokens.LoggedOut, tokens.DeviceNotRegistered, tokens.Inactive} {
			r := f.registered(nth(10*i+j), start, start)
			r.RegisteredAt, r.UpdatedAt, r.ExpiresAt, r.Status = times.registered, times.updated, times.expires, status
			f.wantImported(store.Imported, r)
			want, _ := f.policy.PlanImport(r, f.clock.Now(), nil, nil)
			f.wantStored(want)
			f.wantImported(store.ImportKept, r)
			f.wantStored(want)
		}
	}
}

func importOver(f *fixture) {
	f.register(owned)
	f.register(request(bob, phone, token(2)))
	f.clock.advance(time.Hour)
	r := f.registered(reissued, start.Add(-time.Hour), f.clock.Now())
	f.wantImported(store.Imported, r)
	f.wantStored(r)
	f.wantNone(key(bob, phone))
	f.wantNoHolder(token(1))

	f.clock.advance(time.Hour)
	f.creates(request("carol", phone, token(1)))
	f.refreshes(reissued, r.RegisteredAt)
	moved := request(bob, phone, token(2))
	f.moves(moved, reissued.Key)

	f.clock.advance(time.Hour)
	again := f.registered(reissued, r.RegisteredAt, f.clock.Now())
	f.wantImported(store.Imported, again)
	f.wantNone(moved.Key)
	f.delete(again.Key)
	f.wantErased(reissued)

	f.clock.advance(time.Hour)
	r = f.registered(reissued, start, f.clock.Now())
	f.deleteUser(alice)
	f.wantImported(store.Imported, r)
	f.deleteUser(alice)
	f.wantNone(r.Key)
	f.wantNoHolder(r.Token)
}

func importRespelled(f *fixture) {
	for i, from := range spellings(0) {
		for j, to := range spellings(0) {
			f.deleteUser(alice)
			f.deleteUser(bob)
			f.register(request(alice, phone, from))
			f.clock.advance(time.Hour)
			same := f.registered(request(alice, phone, to), start, f.clock.Now())
			f.wantImported(store.Imported, same)
			f.wantStored(same)
			same.Status, same.Token = tokens.LoggedOut, from
			f.wantImported(store.ImportedStatus, same)

			f.clock.advance(time.Hour)
			moved := f.registered(request(bob, phone, from), start, f.clock.Now())
			f.wantImported(store.Imported, moved)
			f.wantStored(moved)
			f.wantNone(same.Key)
			if f.Failed() {
				f.Fatalf("spelling %d imported over spelling %d", j, i)
			}
		}
	}
}
