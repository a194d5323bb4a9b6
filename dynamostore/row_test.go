package dynamostore

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var rowKey = tokens.Key{UserID: "user", DeviceID: "device"}

// newItem is a registration that expires at second 2000.
func newItem(more item) item {
	i := keyOf(rowKey)
	i[attrToken] = stringValue("ExponentPushToken[x]")
	i[attrPlatform] = stringValue("ios")
	i[attrExpiresAt] = secondsValue(time.Unix(2000, 0))
	i[attrClaimVersion] = stringValue("v")
	for name, v := range more {
		if i[name] = v; v == nil {
			delete(i, name)
		}
	}
	return i
}

// TestRowRead puts the clock on both sides of the second of expiry.
func TestRowRead(t *testing.T) {
	corrupt := &store.CorruptError{}
	tests := []struct {
		name string
		item item
		now  time.Time
		want error // nil, ErrNotFound, or a CorruptError
	}{
		{"nothing", nil, time.Unix(0, 0), store.ErrNotFound},
		{"empty item", item{}, time.Unix(0, 0), store.ErrNotFound},
		{"before it expires", newItem(nil), time.Unix(2000, -1), nil},
		{"as it expires", newItem(nil), time.Unix(2000, 0), store.ErrNotFound},
		{"expired before 1970", newItem(item{attrExpiresAt: secondsValue(time.Unix(-5, 0))}), time.Unix(0, 0), store.ErrNotFound},
		{"without expiry", newItem(item{attrExpiresAt: nil}), time.Unix(1e11, 0), nil},
		{"corrupt, before it expires", newItem(item{attrPlatform: nil}), time.Unix(2000, -1), corrupt},
		{"corrupt, expired", newItem(item{attrPlatform: nil}), time.Unix(2000, 0), store.ErrNotFound},
		{"corrupt, without expiry", newItem(item{attrPlatform: nil, attrExpiresAt: nil}), time.Unix(1e11, 0), corrupt},
		{"corrupt expiry", newItem(item{attrExpiresAt: stringValue("2000")}), time.Unix(1e11, 0), corrupt},
		{"last expiry", newItem(item{attrExpiresAt: secondsValue(time.Unix(maxSeconds, 0))}), time.Unix(0, 0), nil},
		{"too late an expiry", newItem(item{attrExpiresAt: secondsValue(time.Unix(maxSeconds+1, 0))}), time.Unix(0, 0), corrupt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reg, err := newRow(tt.item).read(tt.now)
			var got *store.CorruptError
			switch {
			case tt.want == corrupt:
				if !errors.As(err, &got) || got.Key != rowKey {
					t.Errorf("the error is %v, want a CorruptError", err)
				}
			case !errors.Is(err, tt.want):
				t.Errorf("the error is %v, want %v", err, tt.want)
			case err == nil && reg.Key != rowKey:
				t.Errorf("got %v", reg)
			}
		})
	}
}

// TestRowClaim finds the claim that is to be released with a row.
func TestRowClaim(t *testing.T) {
	id := claimOf(tokens.MustParseToken("ExponentPushToken[x]"))
	tests := []struct {
		name string
		row  item
		want claimID
	}{
		{"registered", newItem(nil), id},
		{"spelled otherwise", newItem(item{attrToken: stringValue("ExpoPushToken[x]")}), id},
		{"corrupt, but for the token", newItem(item{attrPlatform: nil}), id},
		{"of the older service", newItem(item{attrClaimVersion: nil}), ""},
		{"version of a wrong type", newItem(item{attrClaimVersion: boolValue(true)}), ""},
		{"no token", newItem(item{attrToken: nil}), ""},
		{"corrupt token", newItem(item{attrToken: stringValue("x")}), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, newRow(tt.row).claim()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestClaimOutlivesRegistration by at least the margin, and by 30 days at most.
func TestClaimOutlivesRegistration(t *testing.T) {
	now := time.Unix(1e9, 0)
	const day = 24 * time.Hour
	for ttl, extra := range map[time.Duration]time.Duration{
		store.MinTTL: 7 * day, 29 * day: 29 * day, 30 * day: 30 * day, 31 * day: 30 * day, store.DefaultTTL: 30 * day, store.MaxTTL: 30 * day,
	} {
		policy, err := store.Policy{TTL: ttl}.WithDefaults()
		if err != nil {
			t.Fatal(err)
		}
		s := &Store{policy: policy}
		if got := s.claimExpiry(now).Sub(policy.Expiry(now)); got != extra || got <= claimMargin {
			t.Errorf("TTL %v: the claim lives %v longer, want %v", ttl, got, extra)
		}
	}
}
