package dynamostore

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var rowKey = tokens.Key{UserID: "user", DeviceID: "device"}

// newItem returns a registration that expires at second 2000.
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

// TestRowRead reads rows around the second of expiry.
func TestRowRead(t *testing.T) {
	at := func(second int64) item { return item{attrExpiresAt: secondsValue(time.Unix(second, 0))} }
	for name, tt := range map[string]struct {
		changes item
		now     time.Time
		want    store.Outcome
	}{
		"expired before 1970":        {at(-5), time.Unix(0, 0), store.NotFound},
		"last expiry":                {at(maxSeconds), time.Unix(0, 0), store.OK},
		"corrupt, before it expires": {item{attrPlatform: nil}, time.Unix(2000, -1), store.Corrupt},
		"corrupt, expired":           {item{attrPlatform: nil}, time.Unix(2000, 0), store.NotFound},
		"corrupt, without expiry":    {item{attrPlatform: nil, attrExpiresAt: nil}, time.Unix(1e11, 0), store.Corrupt},
		"corrupt user id":            {item{attrUserID: stringValue("#user")}, time.Unix(0, 0), store.Corrupt},
		"corrupt device id":          {item{attrDeviceID: stringValue("\x00")}, time.Unix(0, 0), store.Corrupt},
	} {
		reg, err := newRow(newItem(tt.changes)).registration(tt.now)
		if got := store.OutcomeOf(err); got != tt.want {
			t.Errorf("%s: the error is %v, want %s", name, err, tt.want)
		}
		if err == nil && reg.Key != rowKey {
			t.Errorf("%s: got %v", name, reg)
		}
	}
}

// FuzzDecode decodes any item as a row and as a claim. Nothing panics, a decoded
// registration is valid, and an error contains no value.
func FuzzDecode(f *testing.F) {
	full := newItem(item{
		attrToken: stringValue("ExponentPushToken[secretsecret]"), attrProjectID: stringValue("secretproject"),
		attrRegisteredAt: timeValue(time.Unix(1, 0)), attrUpdatedAt: timeValue(time.Unix(1, 0)),
		attrIsActive: boolValue(false), attrInactiveReason: stringValue("logout"), attrClaimExpiresAt: secondsValue(time.Unix(4e9, 0)),
	})
	const anyText = " attribute is not a string boolean missing number of epoch seconds time in UTC as RFC 3339 has it stored invalid malformed required unknown too_long"
	names := strings.Join(slices.Collect(maps.Keys(full)), " ") + anyText
	add := func(i item) {
		text, err := attributevalue.MarshalMapJSON(i)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	add(full)
	add(claimOf(tokens.Hash{1}).item(rowKey, "version", time.Unix(4e9, 0)))
	for name := range full {
		for _, v := range []types.AttributeValue{
			stringValue("secretsecret"), boolValue(true), &types.AttributeValueMemberNULL{Value: true},
			&types.AttributeValueMemberN{Value: "-99999999999999999999"}, &types.AttributeValueMemberN{Value: "253402300800"},
			&types.AttributeValueMemberM{Value: full}, &types.AttributeValueMemberSS{Value: []string{"secretsecret"}},
		} {
			i := maps.Clone(full)
			i[name] = v
			add(i)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		i, err := attributevalue.UnmarshalMapJSON(text)
		if err != nil {
			return
		}
		now := time.Unix(4e9, 0)
		r, c := newRow(i), newClaim(i)
		_, _, _, _ = r.claim(), r.key(), r.holds([]string{"x"}), claimRecordedBy(r)
		if c.exists() != r.exists() || r.exists() != (len(i) > 0) {
			t.Fatal("an item exists to one and not to the other")
		}
		if _, err := r.registration(now); err == nil && !r.live(now) {
			t.Fatal("a row that is not live was read")
		}
		if r.err != nil {
			for name := range i {
				if value := r.text(name); len(value) > 8 && !strings.Contains(names, value) && strings.Contains(r.err.Error(), value) {
					t.Fatalf("the error %q has the value of %s", r.err, name)
				}
			}
			return
		}
		if !r.exists() {
			return
		}
		reg := r.reg
		if err := (tokens.Request{Key: reg.Key, Token: reg.Token, Platform: reg.Platform, ProjectID: reg.ProjectID}).Validate(); err != nil || reg.Status == "" {
			t.Fatalf("decoded with the status %q, and not valid: %v", reg.Status, err)
		}
		for _, at := range []time.Time{reg.RegisteredAt, reg.UpdatedAt, reg.ExpiresAt} {
			if _, err := at.MarshalText(); err != nil || at.Location() != time.UTC {
				t.Fatalf("%v is not in UTC: %v", at, err)
			}
		}
	})
}

// FuzzCursor: a cursor is accepted only in the form in which it is written, and those
// of an upgrade name distinct segments of one scan.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add("WyJhIiwiYiJd")
	f.Add(newSegments(2).cursor())
	f.Add(openSegments{{1, 2, tokens.Key{UserID: "#claim#1#x", DeviceID: "#"}}}.cursor())
	f.Add(openSegments{{0, 2, rowKey}, {0, 2, rowKey}}.cursor())
	f.Add(openSegments{{0, 2, rowKey}, {1, 3, rowKey}}.cursor())
	f.Add("bnVsbA")
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := parseScanCursor(store.Cursor(text)); err == nil && (string(p.cursor()) != text || p.segment < 0 || p.segment >= p.segments) {
			t.Errorf("%q is read as %+v", text, p)
		}
		s, err := parseSegments(text)
		if err != nil {
			return
		}
		if got := s.cursor(); got != text {
			t.Errorf("%q is written as %q", text, got)
		}
		seen := make(map[int32]bool)
		for _, p := range s {
			if seen[p.segment] || p.segment >= p.segments || p.segments != s[0].segments {
				t.Errorf("the segments are %v", s)
			}
			seen[p.segment] = true
		}
	})
}
