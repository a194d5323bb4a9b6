package storetest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// importChecks are for a backend whose store is a store.Importer.
var importChecks = []check{
	{name: "Import/Rule", rule: "import", run: importRule},
	{name: "Import/Times", rule: "import", run: importTimes},
	{name: "Import/Over", rule: "import", run: importOver},
	{name: "Import/Respelled", rule: "spelling", run: importRespelled},
	{name: "Import/NoLimit", rule: "import", policy: three, run: importNoLimit},
	{name: "Import/NoReasonKnown", rule: "first-reason", run: importNoReasonKnown},
	{name: "Import/NoUpdateKnown", rule: "invalidate", run: importNoUpdateKnown},
	{name: "Import/Copy", rule: "import", run: importCopy},
	{name: "Import/Clock", rule: "clock", run: importClock},
	{name: "Import/Invalid", rule: "invalid", run: importInvalid},
	{name: "Import/Context", rule: "context", run: importContext},
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

// A state is what the rule of Import goes by, of the registration that is
// imported or of one that is stored.
type state struct {
	name  string
	build func(r *tokens.Registration) // nil if there is none
	// corrupt says that what is stored cannot be decoded.
	corrupt bool
	// sameUser says that the holder is of the same user.
	sameUser bool
}

// The states that decide an Import at the time of start, before which those that
// are stored were imported.
var (
	hourOld  = func(r *tokens.Registration) { r.UpdatedAt = start.Add(-time.Hour) }
	older    = func(r *tokens.Registration) { r.UpdatedAt = start.Add(-time.Hour - time.Millisecond) }
	newer    = func(r *tokens.Registration) { r.UpdatedAt = start.Add(-time.Hour + time.Millisecond) }
	future   = func(r *tokens.Registration) { r.UpdatedAt = start.Add(time.Hour) }
	logout   = func(r *tokens.Registration) { r.Status = tokens.LoggedOut }
	goneAway = func(r *tokens.Registration) { r.Status = tokens.DeviceNotRegistered }
	noExpiry = func(r *tokens.Registration) { r.ExpiresAt = time.Time{} }
	noTimes  = func(r *tokens.Registration) {
		r.RegisteredAt, r.UpdatedAt, r.ExpiresAt = time.Time{}, time.Time{}, time.Time{}
	}
	expiring  = func(r *tokens.Registration) { r.ExpiresAt = start }
	surviving = func(r *tokens.Registration) { r.ExpiresAt = start.Add(time.Second) }
	android   = func(r *tokens.Registration) { r.Platform, r.ProjectID = tokens.Android, "" }
)

func all(changes ...func(*tokens.Registration)) func(*tokens.Registration) {
	return func(r *tokens.Registration) {
		for _, change := range changes {
			change(r)
		}
	}
}

// importStates returns what may be imported, stored under the key, and stored
// elsewhere with the token.
func importStates(corrupt bool) (imported, own, holders []state) {
	imported = []state{
		{name: "active", build: hourOld},
		{name: "logged out", build: all(hourOld, logout)},
		{name: "gone", build: all(hourOld, goneAway)},
		{name: "from the future", build: future},
		{name: "logged out in the future", build: all(future, logout)},
		{name: "expired", build: all(hourOld, expiring)},
		{name: "in its last second", build: all(hourOld, surviving)},
		{name: "without an expiry", build: all(hourOld, noExpiry)},
		{name: "without times", build: noTimes},
	}
	own = []state{
		{name: "nothing"},
		{name: "the same", build: all(hourOld, android)},
		{name: "the same, logged out", build: all(hourOld, android, logout)},
		{name: "the same, older", build: all(older, android)},
		{name: "the same, newer", build: all(newer, android)},
		{name: "the same, from the future", build: all(future, android)},
		{name: "the same, newer and expired", build: all(newer, android, expiring)},
		{name: "the same, without times", build: all(noTimes, android)},
		{name: "another token", build: all(hourOld, otherToken)},
		{name: "another token, older", build: all(older, otherToken, logout)},
		{name: "another token, newer", build: all(newer, otherToken, logout)},
	}
	holders = []state{
		{name: "nothing"},
		{name: "another user's, as old", build: hourOld},
		{name: "another user's, older", build: all(older, logout)},
		{name: "another user's, newer", build: all(newer, logout)},
		{name: "another user's, newer and expired", build: all(newer, expiring)},
		{name: "the user's, older", build: older, sameUser: true},
		{name: "the user's, newer", build: newer, sameUser: true},
	}
	if corrupt {
		own = append(own, state{name: "what cannot be decoded", build: newer, corrupt: true},
			state{name: "what cannot be decoded, of another token", build: all(newer, otherToken), corrupt: true})
		holders = append(holders, state{name: "what cannot be decoded", build: newer, corrupt: true})
	}
	return imported, own, holders
}

// otherToken gives the registration a token that only its user has.
func otherToken(r *tokens.Registration) {
	r.Token = tokens.MustParseToken("ExpoPushToken[other-" + string(r.Key.UserID) + "]")
}

// importRule imports each of the states over each that is stored under the key,
// the first of them over each elsewhere, and the first two over both at once. Policy.PlanImport, which has a
// test of its own, says what the store has to do; all that is stored is compared.
func importRule(f *fixture) {
	imported, own, holders := importStates(f.Corrupt != nil)
	type removed struct {
		key   tokens.Key
		token tokens.Token
		by    tokens.Key
	}
	var gone []removed
	n := 0
	for i, imp := range imported {
		for _, at := range own {
			for _, elsewhere := range holders {
				n++
				r, under, holder := f.importable(n, "phone", imp), f.importable(n, "phone", at), f.importable(n, "other", elsewhere)
				if at.build != nil && elsewhere.build != nil && (i > 1 || under.Token.Equal(r.Token)) || i > 4 && elsewhere.build != nil {
					continue
				}
				f.clock.set(start.Add(-time.Second))
				h := holding{}
				stored := f.given(h, under, at)
				if !elsewhere.sameUser {
					holder.Key.UserID += "'s successor"
				}
				held := f.given(h, holder, elsewhere)
				f.clock.set(start)

				what := fmt.Sprintf("%s is imported, %s is under the key, %s has the token", imp.name, at.name, elsewhere.name)
				written, want := f.policy.PlanImport(r, start, stored, held)
				if got := f.imported(r); got != want {
					f.Errorf("%s: got %q, want %q", what, got, want)
				}
				if want == store.Imported {
					if elsewhere.build != nil {
						gone = append(gone, removed{holder.Key, r.Token, r.Key})
						delete(h, holder.Key)
						f.wantNone(holder.Key)
					}
					if stored != nil && !stored.Token.Equal(r.Token) {
						f.wantNoHolder(stored.Token)
					}
				}
				if want == store.Imported || want == store.ImportedStatus {
					h[r.Key] = &written
				}
				f.wantHolding(h)
				if f.Failed() {
					f.Fatal(what)
				}
			}
		}
	}
	// Nothing is back when what had expired has not.
	f.clock.set(start.Add(-time.Second))
	for _, r := range gone {
		f.wantNone(r.key)
		f.wantEqual("Holder", r.by, f.holder(r.token).Key)
	}
}

// importable returns the registration of the n-th case in the state.
func (f *fixture) importable(n int, d tokens.DeviceID, s state) tokens.Registration {
	r := f.registered(request(tokens.UserID(fmt.Sprintf("user-%d", n)), d, token(n)), start.Add(-48*time.Hour), start.Add(-time.Hour))
	if s.build != nil {
		s.build(&r)
		r.UpdatedAt = r.UpdatedAt.UTC().Truncate(time.Millisecond)
		r.ExpiresAt = r.ExpiresAt.UTC().Truncate(time.Second)
	}
	return r
}

// given stores r in the state, adds it to what the store holds, and returns what
// PlanImport has to know of it.
func (f *fixture) given(h holding, r tokens.Registration, s state) *tokens.Registration {
	f.Helper()
	if s.build == nil {
		return nil
	}
	if r.ExpiresAt.IsZero() {
		r.ExpiresAt = f.policy.ImportExpiry(r.UpdatedAt, f.clock.Now())
	}
	f.wantImported(store.Imported, r)
	h[r.Key] = &r
	if s.corrupt {
		f.Corrupt(f, f.store, r.Key)
		h[r.Key] = nil
	}
	return h[r.Key]
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
			f.wantImported(store.Kept, r)
			f.wantStored(want)
		}
	}
}

// importOver imports over what was registered, and registers over what was
// imported: both are registrations like any.
func importOver(f *fixture) {
	f.register(request(alice, phone, token(1)))
	f.register(request(bob, phone, token(2)))
	f.clock.advance(time.Hour)
	r := f.registered(request(alice, phone, token(2)), start.Add(-time.Hour), f.clock.Now())
	f.wantImported(store.Imported, r)
	f.wantStored(r)
	f.wantNone(key(bob, phone))
	f.wantNoHolder(token(1))

	f.clock.advance(time.Hour)
	free := request("carol", phone, token(1))
	f.wantResult(free, store.Created, f.clock.Now(), f.register(free))
	refresh := request(alice, phone, token(2))
	f.wantResult(refresh, store.Refreshed, r.RegisteredAt, f.register(refresh))
	moved := request(bob, phone, token(2))
	f.wantMove(moved, store.Created, f.clock.Now(), refresh.Key, f.register(moved))

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

// importNoLimit brings a user above the limit; the next new device does not.
func importNoLimit(f *fixture) {
	for i, req := range requests(alice, 5) {
		f.wantImported(store.Imported, f.registered(req, start, start.Add(time.Duration(i)*time.Minute)))
	}
	f.wantDevices(alice, device(0), device(1), device(2), device(3), device(4))
	f.clock.advance(time.Hour)
	req := request(alice, "new", token(9))
	f.wantEvicted(req, f.register(req), device(0), device(1), device(2))
	f.wantDevices(alice, device(3), device(4), "new")
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
	f.wantResult(refresh, store.Refreshed, start, f.register(refresh))
}

// importNoUpdateKnown has a registration of which no update is known: every
// message is newer.
func importNoUpdateKnown(f *fixture) {
	r := f.registered(request(alice, phone, token(1)), start, start)
	r.UpdatedAt = time.Time{}
	f.wantImported(store.Imported, r)
	f.invalidate(r.Key, token(2), start)
	f.wantStored(r)
	f.invalidate(r.Key, r.Token, time.Date(1, time.January, 1, 0, 0, 0, 1, time.UTC))
	r.Status = tokens.DeviceNotRegistered
	f.wantStored(r)
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
			_, _ = do(f.Context(), source) // what is asked for may not be there
		}
		f.deleteUser(alice)
		f.deleteUser(bob)
		f.clock.advance(time.Hour)
		h := f.copyFrom(source, random, func(*tokens.Registration) store.ImportOutcome { return store.Imported })
		f.copyFrom(source, random, func(*tokens.Registration) store.ImportOutcome { return store.Kept })

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
			return store.Kept
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

func importClock(f *fixture) {
	f.register(request(alice, phone, token(1)))
	f.register(request(bob, phone, token(2)))
	f.clock.advance(time.Hour)
	f.readsClockOnce("Import", importCall(f.registered(request(alice, phone, token(2)), start, f.clock.Now())))
}

// importInvalid makes each bad registration of a good one that is stored.
func importInvalid(f *fixture) {
	good := f.registered(request(alice, phone, token(1)), start, start)
	f.wantImported(store.Imported, good)
	f.clock.advance(time.Hour)
	late := time.Date(10000, time.January, 1, 0, 0, 0, 0, time.UTC)
	early := time.Date(0, time.December, 31, 23, 59, 59, 0, time.UTC)
	type reg = tokens.Registration
	refuses := func(field string, code tokens.Code, change func(*reg)) {
		f.Helper()
		r := good
		r.UpdatedAt = f.clock.Now()
		change(&r)
		f.refuses(importCall(r), tokens.FieldError{Field: field, Code: code})
	}
	for user, code := range badUsers {
		refuses(tokens.FieldUserID, code, func(r *reg) { r.Key.UserID = user })
	}
	for device, code := range badDevices {
		refuses(tokens.FieldDeviceID, code, func(r *reg) { r.Key.DeviceID = device })
	}
	refuses(tokens.FieldToken, tokens.Required, func(r *reg) { r.Token = tokens.Token{} })
	refuses(tokens.FieldPlatform, tokens.Required, func(r *reg) { r.Platform = "" })
	refuses(tokens.FieldPlatform, tokens.Unknown, func(r *reg) { r.Platform = marker })
	refuses(tokens.FieldProjectID, tokens.ControlCharacter, func(r *reg) { r.ProjectID = marker + "\t" })
	refuses(tokens.FieldProjectID, tokens.TooLong, func(r *reg) { r.ProjectID = tokens.ProjectID(strings.Repeat("p", tokens.MaxProjectIDLen+1)) })
	refuses(tokens.FieldStatus, tokens.Required, func(r *reg) { r.Status = "" })
	refuses(tokens.FieldStatus, tokens.Unknown, func(r *reg) { r.Status = marker })
	for _, bad := range []time.Time{late, early} {
		refuses(tokens.FieldRegisteredAt, tokens.Malformed, func(r *reg) { r.RegisteredAt = bad })
		refuses(tokens.FieldUpdatedAt, tokens.Malformed, func(r *reg) { r.UpdatedAt = bad })
		refuses(tokens.FieldExpiresAt, tokens.Malformed, func(r *reg) { r.ExpiresAt = bad })
	}
	f.refuses(importCall(reg{ExpiresAt: late}),
		tokens.FieldError{Field: tokens.FieldUserID, Code: tokens.Required},
		tokens.FieldError{Field: tokens.FieldDeviceID, Code: tokens.Required},
		tokens.FieldError{Field: tokens.FieldToken, Code: tokens.Required},
		tokens.FieldError{Field: tokens.FieldPlatform, Code: tokens.Required},
		tokens.FieldError{Field: tokens.FieldStatus, Code: tokens.Required},
		tokens.FieldError{Field: tokens.FieldExpiresAt, Code: tokens.Malformed})

	done, cancel := context.WithCancel(f.Context())
	cancel()
	f.refuses(func(_ context.Context, s store.Store) error {
		return importCall(reg{Key: good.Key, Token: good.Token, Status: good.Status})(done, s)
	},
		tokens.FieldError{Field: tokens.FieldPlatform, Code: tokens.Required})
	f.wantStored(good)
}

func importContext(f *fixture) {
	f.obeysContext(writes, importCall(f.registered(taking, start, start.Add(time.Hour))))
}
