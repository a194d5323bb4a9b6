package dynamostore

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/tokens"
)

// The attributes of the table. Those of a registration are the names of the
// earlier TypeScript service, whose tables stay readable.
const (
	attrUserID   = "userId"   // hash key
	attrDeviceID = "deviceId" // range key

	attrToken          = "expoPushToken"
	attrPlatform       = "platform"
	attrProjectID      = "projectId"
	attrRegisteredAt   = "registeredAt"
	attrUpdatedAt      = "updatedAt"
	attrIsActive       = "isActive"
	attrInactiveReason = "inactiveReason"
	attrExpiresAt      = "expiresAt" // the table's TTL attribute; of claims, too

	// Of the claim that a registration holds.
	attrClaimExpiresAt = "claimExpiresAt"
	attrClaimVersion   = "claimVersion"

	// Of a claim.
	attrOwnerUserID   = "ownerUserId"
	attrOwnerDeviceID = "ownerDeviceId"
	attrVersion       = "version"
)

// An item is a row of the table as the SDK reads it; nil where there is none.
type item = map[string]types.AttributeValue

func stringValue(s string) types.AttributeValue {
	return &types.AttributeValueMemberS{Value: s}
}

func boolValue(b bool) types.AttributeValue {
	return &types.AttributeValueMemberBOOL{Value: b}
}

// secondsValue is a time as DynamoDB's TTL wants it: epoch seconds.
func secondsValue(t time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(t.Unix(), 10)}
}

// timeFormat is RFC 3339 with milliseconds always, so that texts sort as times.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

func timeValue(t time.Time) types.AttributeValue {
	return stringValue(t.UTC().Format(timeFormat))
}

func keyOf(k tokens.Key) item {
	return item{
		attrUserID:   stringValue(string(k.UserID)),
		attrDeviceID: stringValue(string(k.DeviceID)),
	}
}

// text returns a string attribute, "" if it is absent or of another type.
func (r row) text(name string) string {
	if s, ok := r.item[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}
