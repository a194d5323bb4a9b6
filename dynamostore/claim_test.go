package dynamostore

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// ignoreDocuments leaves out what the SDK's types have beside their value.
var ignoreDocuments = cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{})

// TestClaimItem spells out what a claim is in the table, and reads it.
func TestClaimItem(t *testing.T) {
	id := claimOf(tokens.MustParseToken("ExponentPushToken[x]").Hash())
	stored := id.item(rowKey, "v", time.Unix(2000, 0))
	want := item{
		"userId":        &types.AttributeValueMemberS{Value: "#claim#1#LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE"},
		"deviceId":      &types.AttributeValueMemberS{Value: "#"},
		"ownerUserId":   &types.AttributeValueMemberS{Value: "user"},
		"ownerDeviceId": &types.AttributeValueMemberS{Value: "device"},
		"version":       &types.AttributeValueMemberS{Value: "v"},
		"expiresAt":     &types.AttributeValueMemberN{Value: "2000"},
	}
	if diff := cmp.Diff(want, stored, ignoreDocuments); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
	if c := newClaim(stored); !c.exists() || c.owner != rowKey || c.version() != "v" {
		t.Errorf("read again it is of %v, version %q", c.owner, c.version())
	}
	if c := newClaim(item{}); c.exists() || c.owner != (tokens.Key{}) {
		t.Error("there is a claim where nothing is stored")
	}
}

// TestClaimUnchanged has the condition of a claim that is free, and of one that is
// held.
func TestClaimUnchanged(t *testing.T) {
	for _, tt := range []struct {
		name   string
		claim  claim
		want   string
		values []string
	}{
		{"free", claim{}, "attribute_not_exists (#0)", nil},
		{"held", newClaim(claimOf(tokens.MustParseToken("ExponentPushToken[x]").Hash()).item(rowKey, "v", time.Unix(2000, 0))), "(attribute_exists (#0)) AND (#1 = :0)", []string{"v"}},
		{"as its row says", claimRecordedBy(newRow(newItem(nil))), "(attribute_exists (#0)) AND (#1 = :0)", []string{"v"}},
		{"of an older row", claimRecordedBy(newRow(newItem(item{attrClaimVersion: nil}))), "attribute_not_exists (#0)", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := tt.claim.unchanged()
			expr, err := expression.NewBuilder().WithCondition(g.condition).Build()
			if err != nil {
				t.Fatal(err)
			}
			if got := *expr.Condition(); got != tt.want {
				t.Errorf("condition is %s, want %s", got, tt.want)
			}
			var values []string
			for _, a := range g.args {
				values = append(values, a.value.(*types.AttributeValueMemberS).Value)
			}
			if diff := cmp.Diff(tt.values, values); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
		})
	}
}

// TestClaimTimes has the numbers that the documents name.
func TestClaimTimes(t *testing.T) {
	const day = 24 * time.Hour
	if claimMargin != day || maxClaimExtra != 30*day {
		t.Errorf("the margin is %v and the most %v, want a day and 30", claimMargin, maxClaimExtra)
	}
}

// TestSpellingsShareAClaim, and no two tokens do.
func TestSpellingsShareAClaim(t *testing.T) {
	const uuid = "0123abcd-4567-89ab-cdef-0123456789ab"
	id := func(token string) claimID { return claimOf(tokens.MustParseToken(token).Hash()) }
	if a, b, c := id(uuid), id("ExponentPushToken["+uuid+"]"), id("ExpoPushToken["+uuid+"]"); a != b || b != c {
		t.Errorf("three spellings have the claims %q, %q and %q", a, b, c)
	}
	if id("ExpoPushToken[x]") == id("ExpoPushToken[X]") {
		t.Error("two tokens have one claim")
	}
	// SHA-256 of "x", as any other tool has it.
	want := claimID("#claim#1#LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE")
	if diff := cmp.Diff(want, id("ExpoPushToken[x]")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestVersionsAreNew for each write.
func TestVersionsAreNew(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		v := newVersion()
		if len(v) != 22 || seen[v] {
			t.Fatalf("version %q", v)
		}
		seen[v] = true
	}
}

// TestRowClaim finds the claim that is to be released with a row.
func TestRowClaim(t *testing.T) {
	id := claimOf(tokens.MustParseToken("ExponentPushToken[x]").Hash())
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
