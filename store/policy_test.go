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
	if err != nil {
		t.Fatal(err)
	}
	if got.TTL != 90*24*time.Hour || got.MaxDevices != 20 {
		t.Errorf("got a TTL of %v and %d devices, want 90 days and 20", got.TTL, got.MaxDevices)
	}
	if reflect.ValueOf(got.Now).Pointer() != reflect.ValueOf(time.Now).Pointer() {
		t.Error("the default clock is not time.Now")
	}
}

// TestLimits has the numbers that the documents name: who changes one changes what
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

func TestPolicyKeepsWhatIsSet(t *testing.T) {
	now := time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)
	want := store.Policy{TTL: 30 * 24 * time.Hour, MaxDevices: 5, Now: func() time.Time { return now }}
	got, err := want.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if got.TTL != want.TTL || got.MaxDevices != want.MaxDevices || !got.Now().Equal(now) {
		t.Errorf("got %v, %d devices and the time %v; want what was set", got.TTL, got.MaxDevices, got.Now())
	}
}

func TestPolicyRange(t *testing.T) {
	for _, tc := range []struct {
		name   string
		policy store.Policy
		bad    []string // fields that the error names
	}{
		{"least TTL", store.Policy{TTL: store.MinTTL}, nil},
		{"greatest TTL", store.Policy{TTL: store.MaxTTL}, nil},
		{"TTL too short", store.Policy{TTL: store.MinTTL - time.Second}, []string{"TTL"}},
		{"TTL too long", store.Policy{TTL: store.MaxTTL + time.Second}, []string{"TTL"}},
		{"TTL below zero", store.Policy{TTL: -store.DefaultTTL}, []string{"TTL"}},
		{"TTL not in whole seconds", store.Policy{TTL: store.MinTTL + time.Millisecond}, []string{"TTL"}},
		{"one device", store.Policy{MaxDevices: 1}, nil},
		{"a thousand devices", store.Policy{MaxDevices: 1000}, nil},
		{"devices below zero", store.Policy{MaxDevices: -1}, []string{"MaxDevices"}},
		{"too many devices", store.Policy{MaxDevices: 1001}, []string{"MaxDevices"}},
		{"both", store.Policy{TTL: 1, MaxDevices: -1}, []string{"TTL", "MaxDevices"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := tc.policy.WithDefaults()
			if (err != nil) != (tc.bad != nil) {
				t.Fatalf("got error %v, want one that names %v", err, tc.bad)
			}
			for _, field := range tc.bad {
				if !strings.Contains(err.Error(), "Policy."+field) {
					t.Errorf("error %q does not name %s", err, field)
				}
			}
		})
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
