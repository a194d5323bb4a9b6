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
			reg, err := newRow(tt.item).registration(tt.now)
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

// TestDecodeRefuses has rows with an attribute that is absent, of another type, or
// breaks a rule. The error names the attribute, and nothing of its value.
func TestDecodeRefuses(t *testing.T) {
	if _, err := decode(newItem(nil)); err != nil {
		t.Fatalf("a good row: %v", err)
	}
	const secret = "qZ7xW2vK9tRj"
	for _, tt := range []struct {
		attribute string
		value     types.AttributeValue // nil: absent
	}{
		{"userId", nil},
		{"userId", stringValue("")},
		{"userId", stringValue("#" + secret)},
		{"userId", stringValue(strings.Repeat(secret, 30))},
		{"deviceId", nil},
		{"deviceId", stringValue(secret + "\x00")},
		{"expoPushToken", nil},
		{"expoPushToken", stringValue(secret)},
		{"expoPushToken", boolValue(true)},
		{"platform", nil},
		{"platform", stringValue(secret)},
		{"projectId", stringValue(strings.Repeat(secret, 30))},
		{"projectId", boolValue(false)},
		{"registeredAt", stringValue(secret)},
		{"updatedAt", stringValue("2026-11-23")},
		{"updatedAt", stringValue("2026-11-23T10:00:00.000+01:00")},
		{"isActive", stringValue("true")},
		{"expiresAt", stringValue("2000")},
		{"expiresAt", &types.AttributeValueMemberN{Value: "253402300800"}}, // in the year 10000
		{"expiresAt", &types.AttributeValueMemberN{Value: "2e3.5"}},
	} {
		i := newItem(nil)
		i[tt.attribute] = tt.value
		if tt.value == nil {
			delete(i, tt.attribute)
		}
		_, err := decode(i)
		if err == nil {
			t.Errorf("%s as %v is taken", tt.attribute, tt.value)
			continue
		}
		if strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), tt.attribute) {
			t.Errorf("%s: the error is %v", tt.attribute, err)
		}
		if tt.value == nil && err.Error() != "attribute "+tt.attribute+" is missing" {
			t.Errorf("%s is missing: the error is %v", tt.attribute, err)
		}
		var invalid *tokens.InvalidError
		if errors.As(err, &invalid) {
			t.Errorf("%s: the error %v is one of a caller's arguments", tt.attribute, err)
		}
	}
}

// fuzzed are the attributes that are decoded, in the order of a fuzz input: each
// has a byte for its type and a text for its value.
var fuzzed = []string{
	attrUserID, attrDeviceID, attrToken, attrPlatform, attrProjectID, attrRegisteredAt, attrUpdatedAt,
	attrIsActive, attrInactiveReason, attrExpiresAt, attrClaimExpiresAt, attrClaimVersion,
	attrOwnerUserID, attrOwnerDeviceID, attrVersion,
}

// fuzzItem makes an item of texts, one a line, with types as kinds says; an
// attribute without a kind is absent.
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

// FuzzDecode reads items of any kind as rows and as claims. Nothing panics, what
// decodes is a registration that could have been asked for, and an error shows no
// value.
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
			t.Fatal("an item is there or it is not")
		}
		if _, err := r.registration(now); err == nil && !r.live(now) {
			t.Fatal("what is not live was read")
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

// allNames are the words that the texts of errors have anyway.
var allNames = strings.Join(fuzzed, " ") + " attribute is not a string boolean missing number of epoch seconds time in UTC as RFC 3339 has it stored invalid malformed required unknown too_long"

func kindOf(kinds, name string) byte {
	for n := range kinds {
		if n < len(fuzzed) && fuzzed[n] == name {
			return kinds[n]
		}
	}
	return 0
}
