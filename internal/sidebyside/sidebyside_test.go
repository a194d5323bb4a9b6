package sidebyside

import (
	"cmp"
	"context"
	"flag"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// The default takes some seconds. A flag on the command line overrides it.
func init() {
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
}

// TestSideBySide plays sequences until one shows a difference, which rapid shortens.
func TestSideBySide(t *testing.T) {
	client := dynamotest.Client(t, nil)
	t.Logf("%+v", play(t, t, client, func(s store.Store) store.Store { return s }))
}

// play plays sequences on dynamostore behind a wrapper, and reports a difference to tb.
func play(t *testing.T, tb rapid.TB, client *dynamodb.Client, wrap func(store.Store) store.Store) Played {
	return Play(tb, func(rt *rapid.T, p store.Policy) Subject {
		table := dynamotest.Table(t, client)
		s, err := dynamostore.New(client, table, dynamostore.Options{Policy: p})
		if err != nil {
			rt.Fatal(err)
		}
		return Subject{
			Store: wrap(s),
			Rows: func(now time.Time) map[tokens.Key]map[string]string {
				return itemRows(rt, dynamotest.Scan(t, client, table), now)
			},
			Expired: func(now time.Time) []func() error { return expired(t, client, table, now) },
			Close: func() {
				if _, err := client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &table}); err != nil {
					rt.Fatal(err)
				}
			},
		}
	})
}

// itemRows returns the attributes of live items, without dynamostore, and checks the
// invariants of claims.
func itemRows(rt *rapid.T, items []dynamotest.Item, now time.Time) map[tokens.Key]map[string]string {
	for _, wrong := range dynamotest.CheckInvariants(items, now) {
		rt.Error(wrong)
	}
	rows := map[tokens.Key]map[string]string{}
	for _, i := range items {
		if live := seconds(i) > now.Unix(); live && !strings.HasPrefix(text(i, "userId"), "#") {
			rows[tokens.Key{UserID: tokens.UserID(text(i, "userId")), DeviceID: tokens.DeviceID(text(i, "deviceId"))}] = attributes(i)
		}
	}
	return rows
}

// expired returns a function for each expired item that removes it, as TTL may.
func expired(t *testing.T, client *dynamodb.Client, table string, now time.Time) (remove []func() error) {
	items := slices.DeleteFunc(dynamotest.Scan(t, client, table), func(i dynamotest.Item) bool { return seconds(i) > now.Unix() })
	slices.SortFunc(items, byKey)
	for _, i := range items {
		remove = append(remove, func() error {
			_, err := client.DeleteItem(context.Background(), &dynamodb.DeleteItemInput{
				TableName: &table, Key: dynamotest.Item{"userId": i["userId"], "deviceId": i["deviceId"]},
			})
			return err
		})
	}
	return remove
}

func attributes(i dynamotest.Item) map[string]string {
	got := map[string]string{}
	for _, name := range []string{"platform", "registeredAt", "updatedAt", "projectId", "inactiveReason"} {
		if _, ok := i[name]; ok {
			got[name] = text(i, name)
		}
	}
	if token, err := tokens.ParseToken(text(i, "expoPushToken")); err == nil {
		got["expoPushToken"], got["spelling"] = token.String(), shape(token)
	}
	if active, ok := i["isActive"].(*types.AttributeValueMemberBOOL); ok {
		got["isActive"] = strconv.FormatBool(active.Value)
	}
	got["expiresAt"] = strconv.FormatInt(seconds(i), 10)
	return got
}

func text(i dynamotest.Item, name string) string {
	if v, ok := i[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

// seconds returns the expiry of an item.
func seconds(i dynamotest.Item) int64 {
	if v, ok := i["expiresAt"].(*types.AttributeValueMemberN); ok {
		if n, err := strconv.ParseInt(v.Value, 10, 64); err == nil {
			return n
		}
	}
	return 0
}

func byKey(a, b dynamotest.Item) int {
	return cmp.Or(cmp.Compare(text(a, "userId"), text(b, "userId")), cmp.Compare(text(a, "deviceId"), text(b, "deviceId")))
}
