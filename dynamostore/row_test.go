package dynamostore

import (
	"errors"
	"strings"
	"testing"
	"time"

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
	corrupt := &store.CorruptError{}
	at := func(second int64) item { return item{attrExpiresAt: secondsValue(time.Unix(second, 0))} }
	never := item{attrExpiresAt: nil}
	corrupted := func(more item) item { i := newItem(more); delete(i, attrPlatform); return i }
	tests := []struct {
		name string
		item item
		now  time.Time
		want error // nil, ErrNotFound, or a CorruptError
	}{
		{"expired before 1970", newItem(at(-5)), time.Unix(0, 0), store.ErrNotFound},
		{"last expiry", newItem(at(maxSeconds)), time.Unix(0, 0), nil},
		{"corrupt, before it expires", corrupted(nil), time.Unix(2000, -1), corrupt},
		{"corrupt, expired", corrupted(nil), time.Unix(2000, 0), store.ErrNotFound},
		{"corrupt, without expiry", corrupted(never), time.Unix(1e11, 0), corrupt},
		{"corrupt user id", newItem(item{attrUserID: stringValue("#user")}), time.Unix(0, 0), corrupt},
		{"corrupt device id", newItem(item{attrDeviceID: stringValue("\x00")}), time.Unix(0, 0), corrupt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRow(tt.item)
			reg, err := r.registration(tt.now)
			var got *store.CorruptError
			switch {
			case tt.want == corrupt:
				if !errors.As(err, &got) || got.Key != r.key() {
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

// fuzzed has the attributes that are decoded, in the order of a fuzz input. The input
// has a byte for the type of each, and a line for its value.
var fuzzed = []string{
	attrUserID, attrDeviceID, attrToken, attrPlatform, attrProjectID, attrRegisteredAt, attrUpdatedAt,
	attrIsActive, attrInactiveReason, attrExpiresAt, attrClaimExpiresAt, attrClaimVersion,
	attrOwnerUserID, attrOwnerDeviceID, attrVersion,
}

// fuzzItem omits an attribute without a kind.
func fuzzItem(kinds, texts string) item {
	i := make(item)
	lines := strings.Split(texts, "\n")
	for n, name := range fuzzed {
		text := ""
		if n < len(lines) {
			text = lines[n]
		}
		if n >= len(kinds) {
			break
		}
		switch kinds[n] {
		case 's':
			i[name] = stringValue(text)
		case 'n':
			i[name] = &types.AttributeValueMemberN{Value: text}
		case 't':
			i[name] = boolValue(true)
		case 'f':
			i[name] = boolValue(false)
		case '0':
			i[name] = &types.AttributeValueMemberNULL{Value: true}
		case 'b':
			i[name] = &types.AttributeValueMemberB{Value: []byte(text)}
		case 'l':
			i[name] = &types.AttributeValueMemberL{Value: []types.AttributeValue{stringValue(text)}}
		case 'm':
			i[name] = &types.AttributeValueMemberM{Value: item{name: stringValue(text)}}
		case 'S':
			i[name] = &types.AttributeValueMemberSS{Value: []string{text}}
		case 'x':
			i[name] = nil
		}
	}
	return i
}

// FuzzDecode decodes any item as a row and as a claim. Nothing panics, a decoded
// registration is valid, and an error contains no value.
func FuzzDecode(f *testing.F) {
	full := strings.Join([]string{
		"alice", "phone", "ExponentPushToken[secretsecret]", "ios", "project", "2020-01-02T03:04:05.006Z", "2020-01-02T03:04:05.006Z",
		"", "logout", "4102444800", "4105036800", "version", "alice", "phone", "version",
	}, "\n")
	for _, kinds := range []string{"ssssssstsnnssss", "sssssss0snnssss", "nnnnnnnnnnnnnnn", "ssss", "", "xxxxxxxxxxxxxxx", "ssS0blmfsnnsmlb"} {
		f.Add(kinds, full)
	}
	f.Add("sssssssfsn", strings.Replace(full, "4102444800", "-99999999999999999999", 1))
	f.Fuzz(func(t *testing.T, kinds, texts string) {
		i := fuzzItem(kinds, texts)
		now := time.Unix(4e9, 0)
		r, c := newRow(i), newClaim(i)
		_, _, _, _, _ = r.claim(), r.key(), r.live(now), r.holds([]string{"x"}), claimRecordedBy(r)
		if c.exists() != r.exists() || r.exists() != (len(i) > 0) {
			t.Fatal("an item exists to one and not to the other")
		}
		if _, err := r.registration(now); err == nil && !r.live(now) {
			t.Fatal("a row that is not live was read")
		}
		if r.err != nil {
			for n, line := range strings.Split(texts, "\n") {
				if n < len(fuzzed) && len(line) > 8 && !strings.Contains(allNames, line) && strings.Contains(r.err.Error(), line) {
					t.Fatalf("the error %q shows the value of %s", r.err, fuzzed[n])
				}
			}
			return
		}
		if !r.exists() {
			return
		}
		reg := r.reg
		if err := (tokens.Request{Key: reg.Key, Token: reg.Token, Platform: reg.Platform, ProjectID: reg.ProjectID}).Validate(); err != nil {
			t.Fatalf("decoded, and not valid: %v", err)
		}
		if reg.Status == "" || reg.Status == tokens.Active && kindOf(kinds, attrIsActive) == 'f' {
			t.Fatalf("the status is %q", reg.Status)
		}
		for _, at := range []time.Time{reg.RegisteredAt, reg.UpdatedAt, reg.ExpiresAt} {
			if at.Location() != time.UTC {
				t.Fatalf("%v is not in UTC", at)
			}
			if _, err := at.MarshalText(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// allNames has the words of the errors' texts.
var allNames = strings.Join(fuzzed, " ") + " attribute is not a string boolean missing number of epoch seconds time in UTC as RFC 3339 has it stored invalid malformed required unknown too_long"

func kindOf(kinds, name string) byte {
	for n := range kinds {
		if n < len(fuzzed) && fuzzed[n] == name {
			return kinds[n]
		}
	}
	return 0
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
