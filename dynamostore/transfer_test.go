package dynamostore

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// testTransfer is a Register of rowKey under way, of a user with those other devices.
func testTransfer(t *testing.T, maxDevices int, own item, devices ...item) *transfer {
	t.Helper()
	policy, err := store.Policy{MaxDevices: maxDevices, Now: func() time.Time { return time.Unix(1000, 0) }}.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	s := &Store{table: "table", policy: policy}
	req := tokens.Request{Key: rowKey, Token: tokens.MustParseToken("ExponentPushToken[x]"), Platform: tokens.IOS}
	k := newTransfer(s.beginWrite(store.OpRegister), req, s.now(), newRow(own))
	k.devices = make(map[tokens.DeviceID]row)
	for _, i := range devices {
		r := newRow(i)
		k.devices[r.key().DeviceID] = r
	}
	return k
}

// planned returns the key of each item that the plan writes.
func planned(t *testing.T, k *transfer) []string {
	t.Helper()
	writes, err := k.plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, w := range writes {
		i := item{}
		switch {
		case w.item.Put != nil:
			i = w.item.Put.Item
		case w.item.Update != nil:
			i = w.item.Update.Key
		case w.item.Delete != nil:
			i = w.item.Delete.Key
		}
		r := row{item: i}
		keys = append(keys, r.text(attrUserID)+"/"+r.text(attrDeviceID))
	}
	return keys
}

// TestPlanIsWithinATransaction has plans for as many evictions, doubles and claims
// as there can be: at most 100 items, and none twice.
func TestPlanIsWithinATransaction(t *testing.T) {
	manyDevices := func(shared bool) (devices []item) {
		for n := range 300 {
			token := fmt.Sprintf("ExponentPushToken[%d]", n)
			switch {
			case n%4 == 0:
				token = "ExpoPushToken[x]" // the token that is registered
			case n%4 == 1 && shared:
				token = "ExponentPushToken[shared]"
			}
			devices = append(devices, newItem(item{
				attrDeviceID: stringValue(fmt.Sprintf("device-%d", n)),
				attrToken:    stringValue(token),
			}))
		}
		return devices
	}
	holder := tokens.Key{UserID: "other", DeviceID: "device"}
	for name, owner := range map[string]tokens.Key{
		"held by another user": holder, "held by an evicted device": {UserID: "user", DeviceID: "device-2"},
		"held by a double": {UserID: "user", DeviceID: "device-4"}, "held by the key itself": rowKey,
	} {
		t.Run(name, func(t *testing.T) {
			expired := newItem(item{attrExpiresAt: secondsValue(time.Unix(1, 0)), attrToken: stringValue("ExpoPushToken[old]")})
			for _, shared := range []bool{false, true} {
				k := testTransfer(t, 1, expired, manyDevices(shared)...)
				k.claim = newClaim(k.id.item(owner, "v", time.Unix(3000, 0)))
				keys := planned(t, k)
				if len(keys) > 100 {
					t.Errorf("the transaction has %d items", len(keys))
				}
				if len(k.result.Evicted) != store.MaxEvictions {
					t.Errorf("%d are evicted", len(k.result.Evicted))
				}
				slices.Sort(keys)
				if distinct := slices.Compact(slices.Clone(keys)); len(distinct) != len(keys) {
					t.Errorf("an item is named twice: %v", cmp.Diff(distinct, keys))
				}
			}
		})
	}
}

// TestPlanOfRespelledToken releases no claim: the two spellings have one.
func TestPlanOfRespelledToken(t *testing.T) {
	own := newItem(item{attrToken: stringValue("ExpoPushToken[x]")})
	k := testTransfer(t, 1, own)
	want := []string{string(k.id) + "/#", "user/device"}
	if diff := cmp.Diff(want, planned(t, k)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestEvictionOrder is inactive ones first, then the oldest, then the smallest
// device id by bytes, wherever in the map they are.
func TestEvictionOrder(t *testing.T) {
	device := func(id, updatedAt string, active bool) item {
		return newItem(item{
			attrDeviceID: stringValue(id), attrToken: stringValue("ExponentPushToken[y]"),
			attrUpdatedAt: stringValue(updatedAt), attrIsActive: boolValue(active),
		})
	}
	const early, late = "2020-01-01T00:00:00.000Z", "2020-01-01T00:00:00.001Z"
	want := []item{
		device("z", early, false), device("a", late, false),
		device("B", early, true), device("a2", early, true), device("b", early, true), device("é", early, true),
		device("A", late, true),
	}
	shuffled := slices.Clone(want)
	rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	shuffled = append(shuffled,
		newItem(item{attrDeviceID: stringValue("expired"), attrExpiresAt: secondsValue(time.Unix(1000, 0)), attrToken: stringValue("ExpoPushToken[e]")}),
		newItem(item{attrDeviceID: stringValue("corrupt"), attrPlatform: nil, attrToken: stringValue("ExpoPushToken[c]")}))
	k := testTransfer(t, 1, nil, shuffled...)
	planned(t, k)
	var wantKeys []tokens.Key
	for _, i := range want {
		wantKeys = append(wantKeys, newRow(i).key())
	}
	if diff := cmp.Diff(wantKeys, k.result.Evicted); diff != "" {
		t.Errorf("Evicted (-want +got):\n%s", diff)
	}
}
