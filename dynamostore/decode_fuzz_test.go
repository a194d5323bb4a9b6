package dynamostore

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/tokens"
)

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
		_, _, _, _, _ = r.claim(), r.key(), r.live(now), r.holds([]string{"x"}), claimHeldBy(r)
		if c.exists() != r.exists() || r.exists() != (len(i) > 0) {
			t.Fatal("an item is there or it is not")
		}
		if _, err := r.read(now); err == nil && !r.live(now) {
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
