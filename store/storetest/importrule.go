package storetest

import (
	"fmt"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A state is that of a registration that is imported, is under the key, or has the token.
type state struct {
	name     string
	change   change // nil if there is no registration
	corrupt  bool   // it cannot be decoded
	sameUser bool   // the holder is of the same user
}

type change = func(*tokens.Registration)

// The changes that decide an Import at start. The stored registrations were
// imported before.
var (
	hourOld  change = func(r *tokens.Registration) { r.UpdatedAt = start.Add(-time.Hour) }
	older    change = func(r *tokens.Registration) { r.UpdatedAt = start.Add(-time.Hour - time.Millisecond) }
	newer    change = func(r *tokens.Registration) { r.UpdatedAt = start.Add(-time.Hour + time.Millisecond) }
	future   change = func(r *tokens.Registration) { r.UpdatedAt = start.Add(time.Hour) }
	logout   change = func(r *tokens.Registration) { r.Status = tokens.LoggedOut }
	noExpiry change = func(r *tokens.Registration) { r.ExpiresAt = time.Time{} }
	noTimes  change = func(r *tokens.Registration) {
		r.RegisteredAt, r.UpdatedAt, r.ExpiresAt = time.Time{}, time.Time{}, time.Time{}
	}
	expiring   change = func(r *tokens.Registration) { r.ExpiresAt = start }
	android    change = func(r *tokens.Registration) { r.Platform, r.ProjectID = tokens.Android, "" }
	otherToken change = func(r *tokens.Registration) { // a token that only this user has
		r.Token = tokens.MustParseToken("ExpoPushToken[other-" + string(r.Key.UserID) + "]")
	}
)

func all(changes ...change) change {
	return func(r *tokens.Registration) {
		for _, change := range changes {
			change(r)
		}
	}
}

func importStates(corrupt bool) (imported, own, holders []state) {
	imported = []state{
		{name: "active", change: hourOld},
		{name: "logged out", change: all(hourOld, logout)},
		{name: "gone", change: all(hourOld, func(r *tokens.Registration) { r.Status = tokens.DeviceNotRegistered })},
		{name: "from the future, without a project", change: all(future, android)},
		{name: "logged out in the future", change: all(future, logout)},
		{name: "expired", change: all(hourOld, expiring)},
		{name: "in its last second", change: all(hourOld, func(r *tokens.Registration) { r.ExpiresAt = start.Add(time.Second) })},
		{name: "without an expiry", change: all(hourOld, noExpiry)},
		{name: "without times", change: noTimes},
	}
	own = []state{
		{name: "nothing"},
		{name: "the same", change: all(hourOld, android)},
		{name: "the same, logged out", change: all(hourOld, android, logout)},
		{name: "the same, older", change: all(older, android)},
		{name: "the same, newer", change: all(newer, android)},
		{name: "the same, from the future", change: all(future, android)},
		{name: "the same, newer and expired", change: all(newer, android, expiring)},
		{name: "the same, without times", change: all(noTimes, android)},
		{name: "another token", change: all(hourOld, otherToken)},
		{name: "another token, older", change: all(older, otherToken, logout)},
		{name: "another token, newer", change: all(newer, otherToken, logout)},
	}
	holders = []state{
		{name: "nothing"},
		{name: "another user's, as old", change: hourOld},
		{name: "another user's, older", change: all(older, logout)},
		{name: "another user's, newer", change: all(newer, logout)},
		{name: "another user's, newer and expired", change: all(newer, expiring)},
		{name: "the user's, older", change: older, sameUser: true},
		{name: "the user's, newer", change: newer, sameUser: true},
	}
	if corrupt {
		own = append(own, state{name: "what cannot be decoded", change: newer, corrupt: true},
			state{name: "what cannot be decoded, of another token", change: all(newer, otherToken), corrupt: true})
		holders = append(holders, state{name: "what cannot be decoded", change: newer, corrupt: true})
	}
	return imported, own, holders
}

// importRule imports each state over each under the key, the first five over each holder of
// the token, and the first two over both. It compares all stored data with
// Policy.PlanImport, which has a test of its own.
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
				if at.change != nil && elsewhere.change != nil && (i > 1 || under.Token.Equal(r.Token)) || i > 4 && elsewhere.change != nil {
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

				written, want := f.policy.PlanImport(r, start, stored, held)
				got, err := store.Import(f.Context(), f.store, r)
				f.must(err, "Import")
				f.wantEqual("outcome", want, got)
				if want == store.Imported {
					if elsewhere.change != nil {
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
					f.Fatalf("%s is imported, %s is under the key, %s has the token", imp.name, at.name, elsewhere.name)
				}
			}
		}
	}
	// Nothing is back when the clock is set to before its expiry.
	f.clock.set(start.Add(-time.Second))
	for _, r := range gone {
		f.wantNone(r.key)
		f.wantEqual("Holder", r.by, f.holder(r.token).Key)
	}
}

func (f *fixture) wantHolding(h holding) {
	f.Helper()
	for k, reg := range h {
		if reg != nil && !reg.Expired(f.clock.Now()) {
			f.wantStored(*reg)
		}
		if f.Inspector {
			f.wantInspected(k.UserID, h)
		}
	}
}

func (f *fixture) importable(n int, d tokens.DeviceID, s state) tokens.Registration {
	r := f.registered(request(tokens.UserID(fmt.Sprintf("user-%d", n)), d, token(n)), start.Add(-48*time.Hour), start.Add(-time.Hour))
	if s.change != nil {
		s.change(&r)
		r.UpdatedAt = r.UpdatedAt.UTC().Truncate(time.Millisecond)
		r.ExpiresAt = r.ExpiresAt.UTC().Truncate(time.Second)
	}
	return r
}

// given stores r in the state and returns PlanImport's argument for it.
func (f *fixture) given(h holding, r tokens.Registration, s state) *tokens.Registration {
	f.Helper()
	if s.change == nil {
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
