package dynamostore

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/tokens"
)

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
