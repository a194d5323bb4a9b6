package store_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/store"
)

func TestPolicyDefaults(t *testing.T) {
	got, err := store.Policy{}.WithDefaults()
	if err != nil || got.TTL != store.DefaultTTL || got.MaxDevices != store.DefaultMaxDevices {
		t.Errorf("got a TTL of %v, %d devices and error %v", got.TTL, got.MaxDevices, err)
	}
	if reflect.ValueOf(got.Now).Pointer() != reflect.ValueOf(time.Now).Pointer() {
		t.Error("the default clock is not time.Now")
	}
	want := store.Policy{TTL: 30 * 24 * time.Hour, MaxDevices: 5, Now: func() time.Time { return noon }}
	got, err = want.WithDefaults()
	if err != nil || got.TTL != want.TTL || got.MaxDevices != want.MaxDevices || !got.Now().Equal(noon) {
		t.Errorf("got %v, %d devices, the time %v and error %v; want no field changed", got.TTL, got.MaxDevices, got.Now(), err)
	}
}

// TestLimits has the numbers that the documents name. Changing one changes what
// every store promises.
func TestLimits(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name      string
		want, got any
	}{
		{"DefaultTTL", 90 * day, store.DefaultTTL},
		{"MinTTL", 7 * day, store.MinTTL},
		{"MaxTTL", 3650 * day, store.MaxTTL},
		{"ClockSkew", 300 * time.Second, store.ClockSkew},
		{"DefaultMaxDevices", 20, store.DefaultMaxDevices},
		{"MaxMaxDevices", 1000, store.MaxMaxDevices},
		{"MaxEvictions", 40, store.MaxEvictions},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

// TestPolicyRange has policies by the fields that the error names.
func TestPolicyRange(t *testing.T) {
	for bad, policies := range map[string][]store.Policy{
		"":               {{TTL: store.MinTTL}, {TTL: store.MaxTTL}, {MaxDevices: 1}, {MaxDevices: 1000}},
		"TTL":            {{TTL: store.MinTTL - time.Second}, {TTL: store.MaxTTL + time.Second}, {TTL: -store.DefaultTTL}, {TTL: store.MinTTL + time.Millisecond}},
		"MaxDevices":     {{MaxDevices: -1}, {MaxDevices: 1001}},
		"TTL MaxDevices": {{TTL: 1, MaxDevices: -1}},
	} {
		for _, p := range policies {
			_, err := p.WithDefaults()
			if (err != nil) != (bad != "") {
				t.Errorf("%v and %d devices: got error %v, want one that names %q", p.TTL, p.MaxDevices, err, bad)
			}
			for field := range strings.FieldsSeq(bad) {
				if err != nil && !strings.Contains(err.Error(), "Policy."+field) {
					t.Errorf("error %q does not name %s", err, field)
				}
			}
		}
	}
}

// TestExpiry: whole seconds in UTC, at most one second less than now + TTL.
func TestExpiry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).
			In(time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, "zone")*3600))
		p := store.Policy{TTL: store.MinTTL + time.Duration(rapid.IntRange(0, 1e8).Draw(t, "ttl"))*time.Second}
		got := p.Expiry(now)
		if early := now.Add(p.TTL).Sub(got); early < 0 || early >= time.Second {
			t.Errorf("expires %v before now + TTL", early)
		}
		if got.Nanosecond() != 0 || got.Location() != time.UTC {
			t.Errorf("%v is not in whole seconds of UTC", got)
		}
	})
}
