package dynamostore

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// testTransfer returns a Register of rowKey for a user who has those other devices.
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

// planned returns the keys of the items that the plan writes.
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

// TestPlanIsWithinATransaction plans with the greatest numbers of evictions, rows of the
// earlier service and claims. A transaction has at most 100 items, and none twice.
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
		"held by a row with the token": {UserID: "user", DeviceID: "device-4"}, "held by the key itself": rowKey,
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

// TestBackoff: each wait takes between the half of a duration and the whole, which
// doubles from 5 to 160 milliseconds.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		longest := time.Duration(0)
		for range 50 { // the waits are random
			var b backoff
			for try, whole := range []time.Duration{5, 10, 20, 40, 80, 160, 160, 160, 160, 160, 160, 160, 160, 160} {
				whole *= time.Millisecond
				began := time.Now()
				if err := b.next(t.Context()); err != nil {
					t.Fatal(err)
				}
				if waited := time.Since(began); waited < whole/2 || waited >= whole {
					t.Fatalf("wait %d took %v, want from %v to %v", try+1, waited, whole/2, whole)
				}
				longest = max(longest, time.Since(began))
			}
		}
		if longest < 150*time.Millisecond {
			t.Errorf("450 waits of up to 160ms took %v at most", longest)
		}
	})
}
