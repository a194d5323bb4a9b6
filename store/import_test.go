package store_test

import (
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A change alters the registration that TestPlanImport begins with.
type change = func(*tokens.Registration)

func changes(all ...change) change {
	return func(r *tokens.Registration) {
		for _, change := range all {
			change(r)
		}
	}
}

func updated(t time.Time) change { return func(r *tokens.Registration) { r.UpdatedAt = t } }

func expires(t time.Time) change { return func(r *tokens.Registration) { r.ExpiresAt = t } }

// TestPlanImport is the rule of Import as a table. own and holder are nil if nothing
// is stored; written is nil if nothing is written.
func TestPlanImport(t *testing.T) {
	policy, err := store.Policy{}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	at := noon.Add
	same := func(*tokens.Registration) {}
	older, newer, future := updated(at(-2*time.Hour)), updated(at(-time.Minute)), updated(at(time.Hour))
	expired, forever, untimed := expires(noon), expires(time.Time{}), updated(time.Time{})
	lastTime := updated(time.Date(9999, time.December, 31, 23, 59, 59, 999_000_000, time.UTC))
	logout := func(r *tokens.Registration) { r.Status = tokens.LoggedOut }
	gone := func(r *tokens.Registration) { r.Status = tokens.DeviceNotRegistered }
	otherToken := func(r *tokens.Registration) { r.Token = tokens.MustParseToken("ExponentPushToken[other]") }
	named := func(r *tokens.Registration) { r.ProjectID = "@acme/app" }
	finer := func(r *tokens.Registration) {
		west := time.FixedZone("", -3600)
		r.RegisteredAt = r.RegisteredAt.Add(999 * time.Microsecond).In(west)
		r.UpdatedAt = r.UpdatedAt.Add(999 * time.Microsecond).In(west)
		r.ExpiresAt = r.ExpiresAt.Add(999 * time.Millisecond).In(west)
	}

	for _, tc := range []struct {
		name           string
		r, own, holder change
		want           store.ImportOutcome
		written        change
	}{
		{"nothing stored", same, nil, nil, store.Imported, same},
		{"inactive", logout, nil, nil, store.Imported, logout},
		{"times are truncated and in UTC", finer, nil, nil, store.Imported, same},

		{"expired", expired, nil, nil, store.ImportExpired, nil},
		{"expires in a second", expires(at(time.Second)), nil, nil, store.Imported, expires(at(time.Second))},
		{"expired, and stored active", changes(expired, logout), same, nil, store.ImportExpired, nil},
		{"no expiry: a TTL after its update", forever, nil, nil, store.Imported, expires(at(store.DefaultTTL - time.Hour))},
		{"no expiry, long ago: in 30 days", changes(forever, untimed), nil, nil, store.Imported, changes(expires(at(30*24*time.Hour)), untimed)},
		{"no expiry, from the last millisecond that can be stored: a TTL from now", changes(forever, lastTime), nil, nil,
			store.Imported, changes(expires(at(store.DefaultTTL)), lastTime)},

		{"stored, older", same, older, nil, store.Imported, same},
		{"stored, the same", same, same, nil, store.ImportKept, nil},
		{"stored, newer", same, newer, nil, store.ImportKept, nil},
		{"stored, newer and expired", same, changes(newer, expired), nil, store.Imported, same},
		{"stored, newer and without expiry", same, changes(newer, forever), nil, store.ImportKept, nil},
		{"stored, older, with another token", same, changes(older, otherToken), nil, store.Imported, same},

		{"a logout, stored active", logout, same, nil, store.ImportedStatus, logout},
		{"active, stored logged out", same, logout, nil, store.ImportKept, nil},
		{"a logout, stored gone", logout, gone, nil, store.ImportKept, nil},
		{"a logout, stored with another token", logout, otherToken, nil, store.ImportKept, nil},
		{"a logout, stored newer", logout, newer, nil, store.ImportKept, nil},
		{"a logout, stored older", logout, older, nil, store.Imported, logout},
		{"a logout changes the status alone", logout, named, nil, store.ImportedStatus, changes(named, logout)},

		{"held elsewhere, older", same, nil, older, store.Imported, same},
		{"held elsewhere, as old", same, nil, same, store.ImportKept, nil},
		{"held elsewhere, newer", same, nil, newer, store.ImportKept, nil},
		{"held elsewhere, newer and inactive", same, nil, changes(newer, logout), store.ImportKept, nil},
		{"held elsewhere, newer and expired", same, nil, changes(newer, expired), store.Imported, same},
		{"own older, held elsewhere newer", same, older, newer, store.ImportKept, nil},
		{"own newer, held elsewhere older", same, newer, older, store.ImportKept, nil},

		{"from the future, stored now", future, updated(noon), nil, store.ImportKept, nil},
		{"from the future, stored a moment ago", future, updated(at(-time.Millisecond)), nil, store.Imported, future},
		{"without times, stored without times", untimed, untimed, nil, store.ImportKept, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			changed := func(change change) *tokens.Registration {
				if change == nil {
					return nil
				}
				r := tokens.Registration{
					Key: alice.Key, Token: token, Platform: tokens.IOS, Status: tokens.Active,
					RegisteredAt: at(-48 * time.Hour), UpdatedAt: at(-time.Hour), ExpiresAt: at(time.Hour),
				}
				change(&r)
				return &r
			}
			holder := changed(tc.holder)
			if holder != nil {
				holder.Key.UserID = "bob"
			}
			want := changed(tc.written)
			if want == nil {
				want = &tokens.Registration{}
			}
			written, got := policy.PlanImport(*changed(tc.r), noon.Add(999*time.Microsecond), changed(tc.own), holder)
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			equal(t, "written", *want, written)
		})
	}
}

func TestValidateImport(t *testing.T) {
	valid := tokens.Registration{Key: alice.Key, Token: token, Platform: tokens.IOS, Status: tokens.Inactive}
	if err := store.ValidateImport(valid); err != nil {
		t.Errorf("without times: %v", err)
	}
	late := time.Date(10000, time.January, 1, 0, 0, 0, 0, time.UTC)
	wrong := tokens.Registration{
		Key: tokens.Key{UserID: "#", DeviceID: "phone"}, Platform: "windows", Status: "gone",
		RegisteredAt: late, UpdatedAt: time.Time{}.Add(-1), ExpiresAt: late,
	}
	want := invalid(
		bad("userId", tokens.CodeReserved),
		bad("expoPushToken", tokens.CodeRequired),
		bad("platform", tokens.CodeUnknown),
		bad("status", tokens.CodeUnknown),
		bad("registeredAt", tokens.CodeMalformed),
		bad("updatedAt", tokens.CodeMalformed),
		bad("expiresAt", tokens.CodeMalformed),
	)
	equal(t, "ValidateImport", want, store.ValidateImport(wrong))
	valid.Status = ""
	want = invalid(bad("status", tokens.CodeRequired))
	equal(t, "no status", want, store.ValidateImport(valid))
}
