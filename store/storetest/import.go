package storetest

import (
	"maps"
	"math/rand/v2"
	"time"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// importChecks are for a backend whose store is a store.Importer.
var importChecks = []check{
	{"Import/Rule", "import", defaults, importRule},
	{"Import/Times", "import", defaults, importTimes},
	{"Import/Over", "import", defaults, importOver},
	{"Import/Respelled", "spelling", defaults, importRespelled},
	{"Import/NoLimit", "import", three, importNoLimit},
	{"Import/NoReasonKnown", "first-reason", defaults, importNoReasonKnown},
	{"Import/NoUpdateKnown", "invalidate", defaults, importNoUpdateKnown},
	{"Import/Copy", "import", defaults, importCopy},
	{"Invalid/Import", "invalid", defaults, invalidImport},
	{"Context/Import", "context", defaults, func(f *fixture) {
		f.obeysContext(writes, importCall(f.registered(taking, start, start.Add(time.Hour))))
	}},
}

func (f *fixture) imported(r tokens.Registration) store.ImportOutcome {
	f.Helper()
	outcome, err := store.Import(f.Context(), f.store, r)
	if err != nil {
		f.Fatalf("Import of %v: %v", r.Key, err)
	}
	return outcome
}

func (f *fixture) wantImported(want store.ImportOutcome, r tokens.Registration) {
	f.Helper()
	if got := f.imported(r); got != want {
		f.Fatalf("Import of %v: got %q, want %q", r.Key, got, want)
	}
}

// wantHolding fails unless the store holds that and, of the same users, nothing
// else.
func (f *fixture) wantHolding(h holding) {
	f.Helper()
	users := map[tokens.UserID]bool{}
	for k, reg := range h {
		users[k.UserID] = true
		if reg != nil && !reg.Expired(f.clock.Now()) {
			f.wantEqual("Holder", *reg, f.holder(reg.Token))
			if !f.Inspector {
				f.wantEqual("Get", *reg, f.get(k))
			}
		}
	}
	for user := range users {
		if f.Inspector {
			f.wantInspected(user, h)
			continue
		}
		for _, reg := range f.list(user) {
			if want := h[reg.Key]; want == nil || !want.Active() {
				f.Errorf("List shows %v, which is not active", reg.Key)
			}
		}
	}
}

// importTimes has times that are not as stores keep them, none, and the greatest.
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
			r := f.registered(request(alice, device(10*i+j), token(10*i+j)), start, start)
			r.RegisteredAt, r.UpdatedAt, r.ExpiresAt, r.Status = times.registered, times.updated, times.expires, status
			f.wantImported(store.Imported, r)
			want, _ := f.policy.PlanImport(r, f.clock.Now(), nil, nil)
			f.wantStored(want)
			f.wantImported(store.ImportKept, r)
			f.wantStored(want)
		}
	}
}

// importOver imports over what was registered, and registers over what was
// imported: both are registrations like any.
func importOver(f *fixture) {
	f.register(owned)
	f.register(request(bob, phone, token(2)))
	f.clock.advance(time.Hour)
	r := f.registered(request(alice, phone, token(2)), start.Add(-time.Hour), f.clock.Now())
	f.wantImported(store.Imported, r)
	f.wantStored(r)
	f.wantNone(key(bob, phone))
	f.wantNoHolder(token(1))

	f.clock.advance(time.Hour)
	free := request("carol", phone, token(1))
	f.creates(free)
	refresh := request(alice, phone, token(2))
	f.refreshes(refresh, r.RegisteredAt)
	moved := request(bob, phone, token(2))
	f.moves(moved, refresh.Key)

	f.clock.advance(time.Hour)
	again := f.registered(refresh, r.RegisteredAt, f.clock.Now())
	f.wantImported(store.Imported, again)
	f.wantNone(moved.Key)
	f.delete(again.Key)
	f.wantErased(refresh)

	f.clock.advance(time.Hour)
	r = f.registered(refresh, start, f.clock.Now())
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

// importNoLimit brings a user above the limit; the next new device does not. The
// device without an UpdatedAt is the oldest.
func importNoLimit(f *fixture) {
	for i, req := range requests(alice, 5) {
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
	more := request(alice, "newer", token(10))
	f.evicts(more)
}

// importNoReasonKnown has a registration that is inactive for a reason that only
// an import can bring: it stays, as any first reason does.
func importNoReasonKnown(f *fixture) {
	r := f.registered(request(alice, phone, token(1)), start, start.Add(-time.Hour))
	r.Status = tokens.Inactive
	f.wantImported(store.Imported, r)
	f.deactivate(r.Key)
	f.wantStored(r)
	f.invalidate(r.Key, r.Token, start.Add(time.Hour))
	f.wantStored(r)
	refresh := request(alice, phone, token(1))
	f.refreshes(refresh, start)
}

// importNoUpdateKnown has a registration of which no times are known: every message
// is newer, and a refresh may set when it began.
func importNoUpdateKnown(f *fixture) {
	req := request(alice, phone, token(1))
	r := f.registered(req, start, start)
	r.RegisteredAt, r.UpdatedAt = time.Time{}, time.Time{}
	f.wantImported(store.Imported, r)
	f.invalidate(r.Key, token(2), start)
	f.wantStored(r)
	f.invalidate(r.Key, r.Token, time.Date(1, time.January, 1, 0, 0, 0, 1, time.UTC))
	r.Status = tokens.DeviceNotRegistered
	f.wantStored(r)
	got := f.register(req)
	if !got.Registration.RegisteredAt.IsZero() {
		r.RegisteredAt = f.clock.Now()
	}
	f.wantResult(req, r.RegisteredAt, store.Result{Outcome: store.Refreshed}, got)
}

// importCopy copies registries that random calls made, in any order: the copy
// equals its source, and a second pass changes nothing but what was logged out
// meanwhile.
func importCopy(f *fixture) {
	random := rand.New(rand.NewPCG(14, 2))
	for n := range 3 {
		f.clock.set(start.Add(time.Duration(n) * 24 * time.Hour))
		source, err := memstore.New(f.policy)
		if err != nil {
			f.Fatal(err)
		}
		for range 80 {
			f.clock.advance(time.Duration(random.IntN(3)) * time.Second)
			_, do := randomCall(random, f.clock.Now())
			_, _ = do(f.Context(), source) // the registration may not exist
		}
		f.deleteUser(alice)
		f.deleteUser(bob)
		f.clock.advance(time.Hour)
		h := f.copyFrom(source, random, func(*tokens.Registration) store.ImportOutcome { return store.Imported })
		f.copyFrom(source, random, func(*tokens.Registration) store.ImportOutcome { return store.ImportKept })

		for k, reg := range h {
			if reg.Active() && random.IntN(2) == 0 {
				if err := source.Deactivate(f.Context(), k); err != nil {
					f.Fatal(err)
				}
			}
		}
		f.copyFrom(source, random, func(r *tokens.Registration) store.ImportOutcome {
			if h[r.Key].Active() && !r.Active() {
				return store.ImportedStatus
			}
			return store.ImportKept
		})
	}
}

// copyFrom imports all that the source holds, and fails unless the store then
// holds the same.
func (f *fixture) copyFrom(source *memstore.Store, random *rand.Rand, want func(*tokens.Registration) store.ImportOutcome) holding {
	f.Helper()
	var records []store.Record
	for r, err := range store.Walk(f.Context(), source, "", 10) {
		if err != nil {
			f.Fatal(err)
		}
		records = append(records, r)
	}
	random.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	h := holding{}
	for _, r := range records {
		h[r.Key] = &r.Registration
		f.wantImported(want(&r.Registration), r.Registration)
	}
	f.wantHolding(h)
	for _, user := range []tokens.UserID{alice, bob} {
		listed, err := source.List(f.Context(), user)
		if err != nil {
			f.Fatal(err)
		}
		f.wantEqual("List", listed, f.list(user))
	}
	return maps.Clone(h)
}
