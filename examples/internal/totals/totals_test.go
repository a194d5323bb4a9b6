package totals

import (
	"errors"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestStatesAreCounted has a registration of each state and age.
func TestStatesAreCounted(t *testing.T) {
	now := time.Date(2026, time.November, 30, 12, 0, 0, 0, time.UTC)
	at := func(weeksAgo int, status tokens.Status) store.Record {
		updated := now.AddDate(0, 0, -7*weeksAgo)
		return store.Record{Registration: tokens.Registration{Platform: tokens.IOS, ProjectID: "@acme/app", Status: status, UpdatedAt: updated, ExpiresAt: updated.AddDate(0, 0, 90)}}
	}
	all := &Totals{counts: map[string]map[string]int{}}
	all.add([]store.Record{
		at(0, tokens.Active), at(0, tokens.Active), at(3, tokens.LoggedOut), at(12, tokens.DeviceNotRegistered),
		at(13, tokens.Active), {Err: errors.New("unreadable")},
	}, now)
	want := []Line{{"active", 2}, {"device_not_registered", 1}, {"expired", 1}, {"logout", 1}, {"unreadable", 1}}
	if got := all.Lines("status"); len(got) != len(want) || got[0] != want[0] || got[4] != want[4] {
		t.Errorf("statuses are %v, want %v", got, want)
	}
	if all.ages[0] != 2 || all.ages[3] != 1 || all.ages[12] != 1 || all.ages[13] != 0 {
		t.Errorf("ages are %v", all.ages)
	}
	if got := all.Bars()[0]; got.Height != 96 || got.Y != 4 {
		t.Errorf("the first bar is %+v", got)
	}
}
