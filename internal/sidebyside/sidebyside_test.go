package sidebyside

import (
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
	t.Logf("%d answers are equal", play(t, t, client, func(s store.Store) store.Store { return s }))
}

// play plays sequences on dynamostore behind a wrapper, and reports a difference to tb.
func play(t *testing.T, tb rapid.TB, client *dynamodb.Client, wrap func(store.Store) store.Store) (compared int) {
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
			Expired: func(now time.Time) []func() { return expired(t, client, table, now) },
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
		user, device := dynamotest.Text(i, "userId"), dynamotest.Text(i, "deviceId")
		if live := dynamotest.Number(i, "expiresAt") > now.Unix(); live && !strings.HasPrefix(user, "#") {
			rows[tokens.Key{UserID: tokens.UserID(user), DeviceID: tokens.DeviceID(device)}] = attributes(i)
		}
	}
	return rows
}

// expired returns a function for each expired item that removes it, as TTL may.
func expired(t *testing.T, client *dynamodb.Client, table string, now time.Time) (remove []func()) {
	items := slices.DeleteFunc(dynamotest.Scan(t, client, table), func(i dynamotest.Item) bool { return dynamotest.Number(i, "expiresAt") > now.Unix() })
	for _, i := range items {
		remove = append(remove, func() {
			_, err := client.DeleteItem(context.Background(), &dynamodb.DeleteItemInput{
				TableName: &table, Key: dynamotest.Item{"userId": i["userId"], "deviceId": i["deviceId"]},
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
	return remove
}

func attributes(i dynamotest.Item) map[string]string {
	got := map[string]string{}
	for _, name := range []string{"platform", "registeredAt", "updatedAt", "projectId", "inactiveReason"} {
		if _, ok := i[name]; ok {
			got[name] = dynamotest.Text(i, name)
		}
	}
	if token, err := tokens.ParseToken(dynamotest.Text(i, "expoPushToken")); err == nil {
		got["expoPushToken"], got["spelling"] = token.String(), shape(token)
	}
	if active, ok := i["isActive"].(*types.AttributeValueMemberBOOL); ok {
		got["isActive"] = strconv.FormatBool(active.Value)
	}
	got["expiresAt"] = strconv.FormatInt(dynamotest.Number(i, "expiresAt"), 10)
	return got
}
