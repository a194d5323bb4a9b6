package storetest

import (
	"fmt"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A state is what the rule of Import goes by, of the registration that is
// imported or of one that is stored.
type state struct {
	name  string
	build func(r *tokens.Registration) // nil if there is none
	// corrupt means that the registration cannot be decoded.
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
		{name: "from the future, without a project", build: all(future, android)},
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
