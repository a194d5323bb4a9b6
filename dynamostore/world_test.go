package dynamostore_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// worldStart is far ahead: DynamoDB Local removes expired items by its own clock.
var worldStart = time.Date(2051, time.March, 4, 23, 6, 7, 891e6, time.UTC)

// What the tests register.
var (
	alice   = tokens.Key{UserID: "alice", DeviceID: "alices-phone"}
	tablet  = tokens.Key{UserID: "alice", DeviceID: "alices-tablet"}
	watch   = tokens.Key{UserID: "alice", DeviceID: "alices-watch"}
	bob     = tokens.Key{UserID: "bob", DeviceID: "bobs-phone"}
	tokenA  = tokens.MustParseToken("ExponentPushToken[aaaaaaaaaaaaaaaaaaaaaa]")
	respelt = tokens.MustParseToken("ExpoPushToken[aaaaaaaaaaaaaaaaaaaaaa]")
	tokenB  = tokens.MustParseToken("ExponentPushToken[bbbbbbbbbbbbbbbbbbbbbb]")
	tokenC  = tokens.MustParseToken("ExponentPushToken[cccccccccccccccccccccc]")
)

// newTrace looks for the users and tokens above, and for claims.
func newTrace() *leak.Trace {
	var trace leak.Trace
	trace.Add(string(alice.UserID), string(bob.DeviceID), string(tablet.DeviceID), "aaaaaaaa", "bbbbbbbb", "cccccccc", "#claim")
	return &trace
}

// A world is a table of its own with a client that sees no faults, and a clock
// that stands still until it is moved.
type world struct {
	testing.TB
	now    time.Time
	policy store.Policy // its clock is now
	client *dynamodb.Client
	table  string
	clean  *dynamostore.Store
	items  []dynamotest.Item // of the last look
}

func newWorld(t testing.TB, p store.Policy) *world {
	t.Helper()
	c := dynamotest.Client(t, nil)
	return worldOn(t, c, dynamotest.Table(t, c), p)
}

// worldOn is a world on a table that there is already.
func worldOn(t testing.TB, c *dynamodb.Client, table string, p store.Policy) *world {
	t.Helper()
	w := &world{TB: t, now: worldStart, client: c, table: table}
	p.Now = func() time.Time { return w.now }
	w.policy = p
	w.clean = dynamotest.Store(t, c, table, dynamostore.Options{Policy: p})
	return w
}

// through is a store on the same table that sends through the transport. Its
// events must contain no user id.
func (w *world) through(transport http.RoundTripper, observe func(store.Event), more ...func(*dynamodb.Options)) *dynamostore.Store {
	w.Helper()
	c := dynamotest.Client(w, transport, more...)
	discreet := dynamotest.Discreet(w, newTrace())
	return dynamotest.Store(w, c, w.table, dynamostore.Options{Policy: w.policy, Observe: func(e store.Event) {
		discreet(e)
		if observe != nil {
			observe(e)
		}
	}})
}

// requestFor is what an app says at launch.
func requestFor(key tokens.Key, token tokens.Token) tokens.Request {
	return tokens.Request{Key: key, Token: token, Platform: tokens.IOS}
}

func (w *world) register(key tokens.Key, token tokens.Token) store.Result {
	w.Helper()
	result, err := w.clean.Register(w.Context(), requestFor(key, token))
	if err != nil {
		w.Fatalf("Register of %v: %v", key, err)
	}
	return result
}

func (w *world) do(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// put writes an item past the store.
func (w *world) put(i dynamotest.Item) {
	w.Helper()
	_, err := w.client.PutItem(w.Context(), &dynamodb.PutItemInput{TableName: &w.table, Item: i})
	w.do(err)
}

// remove removes an item past the store, as DynamoDB's TTL does.
func (w *world) remove(key dynamotest.Item) {
	w.Helper()
	_, err := w.client.DeleteItem(w.Context(), &dynamodb.DeleteItemInput{TableName: &w.table, Key: key})
	w.do(err)
}

// look reads the whole table, for what follows to check.
func (w *world) look() {
	w.Helper()
	w.items = dynamotest.Scan(w, w.client, w.table)
}

// clear removes what look found.
func (w *world) clear() {
	w.Helper()
	w.write(func(i dynamotest.Item) types.WriteRequest {
		key := dynamotest.Item{"userId": i["userId"], "deviceId": i["deviceId"]}
		return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key}}
	})
}

// restore writes what look found.
func (w *world) restore() {
	w.Helper()
	w.write(func(i dynamotest.Item) types.WriteRequest {
		return types.WriteRequest{PutRequest: &types.PutRequest{Item: i}}
	})
}

func (w *world) write(request func(dynamotest.Item) types.WriteRequest) {
	w.Helper()
	if len(w.items) == 0 {
		return
	}
	var writes []types.WriteRequest
	for _, i := range w.items {
		writes = append(writes, request(i))
	}
	_, err := w.client.BatchWriteItem(w.Context(), &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{w.table: writes},
	})
	w.do(err)
}

// at is the item that look found under the key, nil if there was none.
func (w *world) at(key tokens.Key) dynamotest.Item {
	for _, i := range w.items {
		if text(i, "userId") == string(key.UserID) && text(i, "deviceId") == string(key.DeviceID) {
			return i
		}
	}
	return nil
}

// intact fails unless what look found keeps the invariants.
func (w *world) intact() {
	w.Helper()
	for _, wrong := range dynamotest.CheckInvariants(w.items, w.now) {
		w.Error(wrong)
	}
}

// holds fails unless the key has the token, in that spelling.
func (w *world) holds(key tokens.Key, token tokens.Token) {
	w.Helper()
	if text(w.at(key), "expoPushToken") != token.Reveal() {
		w.Errorf("%v does not hold %v in that spelling", key, token)
	}
}

// empty fails if anything is stored under the key.
func (w *world) empty(key tokens.Key) {
	w.Helper()
	if w.at(key) != nil {
		w.Errorf("there is something under %v", key)
	}
}

// hasStatus fails unless the row under the key has the status.
func (w *world) hasStatus(key tokens.Key, want tokens.Status) {
	w.Helper()
	got := tokens.Status(text(w.at(key), "inactiveReason"))
	active, ok := w.at(key)["isActive"].(*types.AttributeValueMemberBOOL)
	if ok && active.Value && got == "" {
		got = tokens.Active
	}
	if got != want {
		w.Errorf("the status of %v is %q, want %q", key, got, want)
	}
}

// equal fails unless got is as wanted.
func equal[T any](t testing.TB, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func keyItem(key tokens.Key) dynamotest.Item {
	return dynamotest.Item{"userId": str(string(key.UserID)), "deviceId": str(string(key.DeviceID))}
}

func str(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

func text(i dynamotest.Item, name string) string {
	if v, ok := i[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

func num(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }

func boolean(v bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: v} }

// legacyRow is what the earlier service wrote: no expiry, and nothing of a claim.
func legacyRow(key tokens.Key, token tokens.Token) dynamotest.Item {
	i := keyItem(key)
	i["expoPushToken"] = str(token.Reveal())
	i["platform"] = str("ios")
	i["registeredAt"] = str("2020-01-02T03:04:05.006Z")
	i["updatedAt"] = str("2020-06-07T08:09:10.011Z")
	i["isActive"] = boolean(true)
	return i
}
