package tokens_test

import (
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

func TestActive(t *testing.T) {
	for status, want := range map[tokens.Status]bool{
		tokens.Active: true, tokens.LoggedOut: false, tokens.DeviceNotRegistered: false, tokens.Inactive: false,
		"": false, "Active": false, "unheard of": false,
	} {
		if got := (tokens.Registration{Status: status}).Active(); got != want {
			t.Errorf("%q: got %t, want %t", status, got, want)
		}
	}
}

func TestExpired(t *testing.T) {
	at := time.Date(2026, time.February, 28, 23, 59, 59, 0, time.UTC)
	for _, tt := range []struct {
		name           string
		expiresAt, now time.Time
		want           bool
	}{
		{"the instant before", at, at.Add(-time.Nanosecond), false},
		{"the very instant", at, at, true},
		{"the instant after", at, at.Add(time.Nanosecond), true},
		{"another zone, the instant before", at, at.Add(-time.Nanosecond).In(time.FixedZone("", 14*3600)), false},
		{"another zone, the very instant", at, at.In(time.FixedZone("", -12*3600)), true},
		{"a row of an older service", time.Time{}, at, false},
		{"a row of an older service, at the end of time", time.Time{}, time.Unix(1<<40, 0), false},
	} {
		if got := (tokens.Registration{ExpiresAt: tt.expiresAt}).Expired(tt.now); got != tt.want {
			t.Errorf("%s: got %t, want %t", tt.name, got, tt.want)
		}
	}
}
