package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestPlanImport is the rule of Import as a table. Each case changes the
// registration that is imported, or the stored data.
func TestPlanImport(t *testing.T) {
	type reg = tokens.Registration
	policy, err := store.Policy{}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	imported := reg{
		Key: alice.Key, Token: token, Platform: tokens.IOS, Status: tokens.Active,
		RegisteredAt: at(-48 * time.Hour), UpdatedAt: at(-time.Hour), ExpiresAt: at(time.Hour),
	}
	with := func(change func(r *reg)) reg {
		r := imported
		change(&r)
		return r
	}
	stored := func(change func(r *reg)) *reg {
		r := with(change)
		return &r
	}
	lastTime := time.Date(9999, time.December, 31, 23, 59, 59, 999_000_000, time.UTC)
	otherToken := tokens.MustParseToken("ExponentPushToken[other]")
	holder := func(change func(r *reg)) *reg {
		return stored(func(r *reg) { r.Key.UserID = "bob"; change(r) })
	}
	same := func(*reg) {}
	older := func(r *reg) { r.UpdatedAt = at(-2 * time.Hour) }
	newer := func(r *reg) { r.UpdatedAt = at(-time.Minute) }
	loggedOut := func(r *reg) { r.Status = tokens.LoggedOut }

	for _, tc := range []struct {
		name        string
		r           reg
		own, holder *reg
		want        store.ImportOutcome
		written     reg
	}{
		{name: "nothing stored", r: imported, want: store.Imported, written: imported},
		{name: "inactive", r: with(loggedOut), want: store.Imported, written: with(loggedOut)},
		{name: "times are truncated and in UTC", r: with(func(r *reg) {
			west := time.FixedZone("", -3600)
			r.RegisteredAt = r.RegisteredAt.Add(999 * time.Microsecond).In(west)
			r.UpdatedAt = r.UpdatedAt.Add(999 * time.Microsecond).In(west)
			r.ExpiresAt = r.ExpiresAt.Add(999 * time.Millisecond).In(west)
		}), want: store.Imported, written: imported},

		{name: "expired", r: with(func(r *reg) { r.ExpiresAt = noon }), want: store.ImportExpired},
		{name: "expires in a second", r: with(func(r *reg) { r.ExpiresAt = at(time.Second) }),
			want: store.Imported, written: with(func(r *reg) { r.ExpiresAt = at(time.Second) })},
		{name: "expired, and stored inactive", r: with(func(r *reg) { r.ExpiresAt = noon; r.Status = tokens.LoggedOut }),
			own: stored(same), want: store.ImportExpired},
		{name: "no expiry: a TTL after its update", r: with(func(r *reg) { r.ExpiresAt = time.Time{} }),
			want: store.Imported, written: with(func(r *reg) { r.ExpiresAt = r.UpdatedAt.Add(store.DefaultTTL) })},
		{name: "no expiry, long ago: in 30 days", r: with(func(r *reg) { r.ExpiresAt, r.UpdatedAt = time.Time{}, time.Time{} }),
			want: store.Imported, written: with(func(r *reg) { r.ExpiresAt, r.UpdatedAt = at(30*24*time.Hour), time.Time{} })},

		{name: "no expiry, from the last millisecond that can be stored: a TTL from now",
			r:    with(func(r *reg) { r.ExpiresAt, r.UpdatedAt = time.Time{}, lastTime }),
			want: store.Imported, written: with(func(r *reg) { r.ExpiresAt, r.UpdatedAt = at(store.DefaultTTL), lastTime })},

		{name: "stored, older", r: imported, own: stored(older), want: store.Imported, written: imported},
		{name: "stored, the same", r: imported, own: stored(same), want: store.ImportKept},
		{name: "stored, newer", r: imported, own: stored(newer), want: store.ImportKept},
		{name: "stored, newer and expired", r: imported, want: store.Imported, written: imported,
			own: stored(func(r *reg) { newer(r); r.ExpiresAt = noon })},
		{name: "stored, newer and without expiry", r: imported, want: store.ImportKept,
			own: stored(func(r *reg) { newer(r); r.ExpiresAt = time.Time{} })},
		{name: "stored, older, with another token", r: imported, want: store.Imported, written: imported,
			own: stored(func(r *reg) { older(r); r.Token = otherToken })},

		{name: "a log out, stored active", r: with(loggedOut), own: stored(same), want: store.ImportedStatus, written: with(loggedOut)},
		{name: "active, stored logged out", r: imported, own: stored(loggedOut), want: store.ImportKept},
		{name: "a log out, stored gone", r: with(loggedOut), own: stored(func(r *reg) { r.Status = tokens.DeviceNotRegistered }), want: store.ImportKept},
		{name: "a log out, stored with another token", r: with(loggedOut), own: stored(func(r *reg) { r.Token = otherToken }), want: store.ImportKept},
		{name: "a log out, stored newer", r: with(loggedOut), own: stored(newer), want: store.ImportKept},
		{name: "a log out, stored older", r: with(loggedOut), own: stored(older), want: store.Imported, written: with(loggedOut)},
		{name: "a log out keeps what is stored otherwise", r: with(loggedOut), want: store.ImportedStatus,
			own:     stored(func(r *reg) { r.ProjectID = "@acme/app" }),
			written: with(func(r *reg) { r.ProjectID = "@acme/app"; r.Status = tokens.LoggedOut })},

		{name: "held elsewhere, older", r: imported, holder: holder(older), want: store.Imported, written: imported},
		{name: "held elsewhere, as old", r: imported, holder: holder(same), want: store.ImportKept},
		{name: "held elsewhere, newer", r: imported, holder: holder(newer), want: store.ImportKept},
		{name: "held elsewhere, newer and inactive", r: imported, holder: holder(func(r *reg) { newer(r); loggedOut(r) }), want: store.ImportKept},
		{name: "held elsewhere, newer and expired", r: imported, want: store.Imported, written: imported,
			holder: holder(func(r *reg) { newer(r); r.ExpiresAt = noon })},
		{name: "own older, held elsewhere newer", r: imported, own: stored(older), holder: holder(newer), want: store.ImportKept},
		{name: "own newer, held elsewhere older", r: imported, own: stored(newer), holder: holder(older), want: store.ImportKept},

		{name: "from the future, stored now", r: with(func(r *reg) { r.UpdatedAt = at(time.Hour) }),
			own: stored(func(r *reg) { r.UpdatedAt = noon }), want: store.ImportKept},
		{name: "from the future, stored a moment ago", r: with(func(r *reg) { r.UpdatedAt = at(time.Hour) }),
			own:  stored(func(r *reg) { r.UpdatedAt = at(-time.Millisecond) }),
			want: store.Imported, written: with(func(r *reg) { r.UpdatedAt = at(time.Hour) })},
		{name: "without times, stored without times", r: with(func(r *reg) { r.UpdatedAt = time.Time{} }),
			own: stored(func(r *reg) { r.UpdatedAt = time.Time{} }), want: store.ImportKept},
	} {
		t.Run(tc.name, func(t *testing.T) {
			written, got := policy.PlanImport(tc.r, noon.Add(999*time.Microsecond), tc.own, tc.holder)
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if diff := cmp.Diff(tc.written, written); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
		})
	}
}

func TestValidateImport(t *testing.T) {
	valid := tokens.Registration{Key: alice.Key, Token: token, Platform: tokens.IOS, Status: tokens.Inactive}
	if err := store.ValidateImport(valid); err != nil {
		t.Errorf("without times: %v", err)
	}
	late := time.Date(10000, time.January, 1, 0, 0, 0, 0, time.UTC)
	bad := tokens.Registration{
		Key: tokens.Key{UserID: "#", DeviceID: "phone"}, Platform: "windows", Status: "gone",
		RegisteredAt: late, UpdatedAt: time.Time{}.Add(-1), ExpiresAt: late,
	}
	want := invalid(
		tokens.FieldError{Field: "userId", Code: tokens.CodeReserved},
		tokens.FieldError{Field: "expoPushToken", Code: tokens.CodeRequired},
		tokens.FieldError{Field: "platform", Code: tokens.CodeUnknown},
		tokens.FieldError{Field: "status", Code: tokens.CodeUnknown},
		tokens.FieldError{Field: "registeredAt", Code: tokens.CodeMalformed},
		tokens.FieldError{Field: "updatedAt", Code: tokens.CodeMalformed},
		tokens.FieldError{Field: "expiresAt", Code: tokens.CodeMalformed},
	)
	if diff := cmp.Diff(want, store.ValidateImport(bad)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	valid.Status = ""
	want = invalid(tokens.FieldError{Field: "status", Code: tokens.CodeRequired})
	if diff := cmp.Diff(want, store.ValidateImport(valid)); diff != "" {
		t.Errorf("no status (-want +got):\n%s", diff)
	}
}
