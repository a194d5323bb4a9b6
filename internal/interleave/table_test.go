package interleave

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/tokens"
)

// attributes is an item. It is decoded without the package under test.
type attributes = map[string]types.AttributeValue

type table struct {
	items  []attributes
	rows   map[tokens.Key]attributes
	claims map[string]attributes // by hash key
}

func newTable(items []attributes) *table {
	t := &table{items: items, rows: make(map[tokens.Key]attributes), claims: make(map[string]attributes)}
	for _, i := range items {
		if isClaim(i) {
			t.claims[text(i, "userId")] = i
		} else {
			t.rows[rowKey(i)] = i
		}
	}
	return t
}

func isClaim(i attributes) bool { return strings.HasPrefix(text(i, "userId"), "#") }

func rowKey(i attributes) tokens.Key {
	return tokens.Key{UserID: tokens.UserID(text(i, "userId")), DeviceID: tokens.DeviceID(text(i, "deviceId"))}
}

func ownerOf(claim attributes) tokens.Key {
	return tokens.Key{UserID: tokens.UserID(text(claim, "ownerUserId")), DeviceID: tokens.DeviceID(text(claim, "ownerDeviceId"))}
}

// text returns a string attribute, "" if the item has none of that name.
var text = dynamotest.Text

// seconds returns a time of an item, zero if it has none.
func seconds(i attributes, name string) time.Time {
	if n := dynamotest.Number(i, name); n != 0 {
		return time.Unix(n, 0).UTC()
	}
	return time.Time{}
}

func secondsAttr(t time.Time) types.AttributeValue {
	return dynamotest.N(strconv.FormatInt(t.Unix(), 10))
}

func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func claimKey(t tokens.Token) string {
	hash := t.Hash()
	return "#claim#1#" + base64.RawURLEncoding.EncodeToString(hash[:])
}

// holdsToken reports whether the row has the token in any spelling.
func holdsToken(row attributes, t tokens.Token) bool {
	stored, err := tokens.ParseToken(text(row, "expoPushToken"))
	return err == nil && stored.Equal(t)
}

// readable reports whether the row can be decoded. spoil makes it unreadable.
func readable(row attributes) bool {
	_, number := row["expiresAt"].(*types.AttributeValueMemberN)
	return row != nil &&
		(number || row["expiresAt"] == nil) &&
		(text(row, "platform") == "ios" || text(row, "platform") == "android") &&
		text(row, "expoPushToken") != ""
}

func alive(row attributes, now time.Time) bool {
	expiresAt := seconds(row, "expiresAt")
	return readable(row) && (expiresAt.IsZero() || now.Before(expiresAt))
}

func active(row attributes) bool {
	v, ok := row["isActive"].(*types.AttributeValueMemberBOOL)
	return !ok || v.Value
}

// holder returns the key of the live registration that holds the token by a claim, or
// zero.
func (t *table) holder(token tokens.Token, now time.Time) tokens.Key {
	for k, row := range t.rows {
		if row["claimVersion"] != nil && alive(row, now) && holdsToken(row, token) {
			return k
		}
	}
	return tokens.Key{}
}

// lostClaim reports whether another row has the claim that the row records.
func (t *table) lostClaim(k tokens.Key) bool {
	row := t.rows[k]
	token, err := tokens.ParseToken(text(row, "expoPushToken"))
	if err != nil || row["claimVersion"] == nil {
		return false
	}
	claim := t.claims[claimKey(token)]
	return claim != nil && ownerOf(claim) != k
}

func changed[K comparable](before, after map[K]attributes) (keys []K) {
	for k, i := range before {
		if !reflect.DeepEqual(i, after[k]) {
			keys = append(keys, k)
		}
	}
	for k := range after {
		if before[k] == nil {
			keys = append(keys, k)
		}
	}
	return keys
}

func describe(row attributes) string {
	if row == nil {
		return "nothing"
	}
	return describeFields(text(row, "expoPushToken"), text(row, "platform"), text(row, "projectId"), active(row),
		text(row, "registeredAt"), text(row, "updatedAt"), seconds(row, "expiresAt"))
}

func describeRegistration(r tokens.Registration) string {
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return timeText(t)
	}
	return describeFields(r.Token.Reveal(), string(r.Platform), string(r.ProjectID), r.Active(),
		stamp(r.RegisteredAt), stamp(r.UpdatedAt), r.ExpiresAt)
}

func describeFields(token, platform, project string, active bool, registered, updated string, expires time.Time) string {
	return fmt.Sprintf("token %s, platform %s, project %q, active %t, registered %s, updated %s, expires %s",
		token, platform, project, active, registered, updated, timeText(expires))
}
