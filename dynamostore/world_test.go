package dynamostore_test

import (
	"net/http"
	"slices"
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

const day = 24 * time.Hour

// worldStart is far in the future because DynamoDB Local removes expired items by
// its own clock.
var worldStart = time.Date(2051, time.March, 4, 23, 6, 7, 891e6, time.UTC)

// The keys and tokens that the tests register.
var (
	alice   = key("alice", "alices-phone")
	tablet  = key("alice", "alices-tablet")
	watch   = key("alice", "alices-watch")
	bob     = key("bob", "bobs-phone")
	tokenA  = tokens.MustParseToken("ExponentPushToken[aaaaaaaaaaaaaaaaaaaaaa]")
	respelt = tokens.MustParseToken("ExpoPushToken[aaaaaaaaaaaaaaaaaaaaaa]")
	tokenB  = tokens.MustParseToken("ExponentPushToken[bbbbbbbbbbbbbbbbbbbbbb]")
	tokenC  = tokens.MustParseToken("ExponentPushToken[cccccccccccccccccccccc]")
)

func key(user, device string) tokens.Key {
	return tokens.Key{UserID: tokens.UserID(user), DeviceID: tokens.DeviceID(device)}
}

func requestFor(key tokens.Key, token tokens.Token) tokens.Request {
	return tokens.Request{Key: key, Token: token, Platform: tokens.IOS}
}

// newTrace looks for the users and tokens above, and for claims.
func newTrace() *leak.Trace {
	var trace leak.Trace
	trace.Add(string(alice.UserID), string(bob.DeviceID), string(tablet.DeviceID), "aaaaaaaa", "bbbbbbbb", "cccccccc", "#claim")
	return &trace
}

// A world is a table with a clock that stands still, and a store whose requests meet no faults.
type world struct {
	testing.TB
	now    time.Time
	policy store.Policy // its clock is now
	client *dynamodb.Client
	table  string
	clean  *dynamostore.Store
	items  []dynamotest.Item // the table as look read it
}

func newWorld(t testing.TB, p store.Policy) *world {
	t.Helper()
	c := dynamotest.Client(t, nil)
	return worldOn(t, c, dynamotest.Table(t, c), p)
}

func worldOn(t testing.TB, c *dynamodb.Client, table string, p store.Policy) *world {
	t.Helper()
	w := &world{TB: t, now: worldStart, client: c, table: table}
	p.Now = func() time.Time { return w.now }
	w.policy = p
	w.clean = dynamotest.Store(t, c, table, dynamostore.Options{Policy: p})
	return w
}

// through returns a store on the same table that sends through the transport. Its events
// must contain no user id. last gets each.
func (w *world) through(transport http.RoundTripper, last *store.Event, more ...func(*dynamodb.Options)) *dynamostore.Store {
	w.Helper()
	c := dynamotest.Client(w, transport, more...)
	discreet := dynamotest.Discreet(w, newTrace())
	return dynamotest.Store(w, c, w.table, dynamostore.Options{Policy: w.policy, Observe: func(e store.Event) {
		discreet(e)
		*last = e
	}})
}

func (w *world) register(key tokens.Key, token tokens.Token) store.Result {
	w.Helper()
	result, err := w.clean.Register(w.Context(), requestFor(key, token))
	if err != nil {
		w.Fatalf("Register of %v: %v", key, err)
	}
	return result
}

func (w *world) holder(token tokens.Token) tokens.Registration {
	w.Helper()
	reg, err := w.clean.Holder(w.Context(), token.Hash())
	w.do(err)
	return reg
}

// upgrade returns the report without the units.
func (w *world) upgrade(opts dynamostore.UpgradeOptions) dynamostore.UpgradeReport {
	w.Helper()
	opts.Policy = w.policy
	report, err := dynamostore.Upgrade(w.Context(), w.client, w.table, opts)
	w.do(err)
	report.ReadUnits, report.WriteUnits = 0, 0
	return report
}

func (w *world) do(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// put and remove change items without the store, as DynamoDB's TTL does.
func (w *world) put(items ...dynamotest.Item)    { w.write(items, nil) }
func (w *world) remove(items ...dynamotest.Item) { w.write(nil, items) }

func (w *world) write(put, remove []dynamotest.Item) {
	w.Helper()
	var writes []types.WriteRequest
	for _, i := range put {
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: i}})
	}
	for _, i := range remove {
		writes = append(writes, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: keyItem(keyOf(i))}})
	}
	for batch := range slices.Chunk(writes, 25) { // DynamoDB's limit
		_, err := w.client.BatchWriteItem(w.Context(), &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{w.table: batch},
		})
		w.do(err)
	}
}

func (w *world) look() {
	w.Helper()
	w.items = dynamotest.Scan(w, w.client, w.table)
}

// check fails unless the table keeps the invariants.
func (w *world) check() {
	w.Helper()
	w.look()
	for _, wrong := range dynamotest.CheckInvariants(w.items, w.now) {
		w.Error(wrong)
	}
}

// load brings the items and the time of s back. The table must be as look read it.
func (w *world) load(s world) {
	w.Helper()
	read := w.items
	w.items, w.now = s.items, s.now
	w.write(w.items, slices.DeleteFunc(slices.Clone(read), func(i dynamotest.Item) bool { return w.at(keyOf(i)) != nil }))
}

// at returns the item that look found under the key, nil if there was none.
func (w *world) at(key tokens.Key) dynamotest.Item {
	for _, i := range w.items {
		if keyOf(i) == key {
			return i
		}
	}
	return nil
}

func (w *world) holds(key tokens.Key, token tokens.Token) {
	w.Helper()
	if text(w.at(key), "expoPushToken") != token.Reveal() {
		w.Errorf("%v does not hold %v in that spelling", key, token)
	}
}

func (w *world) empty(keys ...tokens.Key) {
	w.Helper()
	for _, key := range keys {
		if w.at(key) != nil {
			w.Errorf("there is something under %v", key)
		}
	}
}

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

func equal[T any](t testing.TB, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func keysOf(regs []tokens.Registration) []tokens.Key {
	var keys []tokens.Key
	for _, r := range regs {
		keys = append(keys, r.Key)
	}
	return keys
}

var (
	str, num, keyItem  = dynamotest.S, dynamotest.N, dynamotest.KeyItem
	text, number, with = dynamotest.Text, dynamotest.Number, dynamotest.With
)

func keyOf(i dynamotest.Item) tokens.Key { return key(text(i, "userId"), text(i, "deviceId")) }

func ownerOf(claim dynamotest.Item) tokens.Key {
	return key(text(claim, "ownerUserId"), text(claim, "ownerDeviceId"))
}

func boolean(v bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: v} }

// instant is a time as a row has it.
func instant(t time.Time) types.AttributeValue { return str(t.Format("2006-01-02T15:04:05.000Z")) }

// legacyRow returns a row as the earlier service wrote it: it has no expiry and no
// claim.
func legacyRow(key tokens.Key, token tokens.Token) dynamotest.Item {
	return with(keyItem(key), dynamotest.Item{
		"expoPushToken": str(token.Reveal()),
		"platform":      str("ios"),
		"registeredAt":  str("2020-01-02T03:04:05.006Z"),
		"updatedAt":     str("2020-06-07T08:09:10.011Z"),
		"isActive":      boolean(true),
	})
}
