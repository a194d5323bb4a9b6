package dynamostore_test

import (
	"testing"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
)

// A user's expired row may still have a token, whose claim TTL has removed, that
// another of the user's devices has by now. The claim of that one goes with it:
// nothing that names the user is left.
func TestDeleteUserWithAnExpiredRowOfTheSameToken(t *testing.T) {
	w := newWorld(t, store.Policy{})
	w.register(alice, tokenA)
	w.now = w.now.Add(60 * day)
	w.register(tablet, tokenB)
	w.now = w.now.Add(61 * day)
	w.look()
	for _, i := range w.items {
		if text(i, "ownerDeviceId") == string(alice.DeviceID) {
			w.remove(dynamotest.Item{"userId": i["userId"], "deviceId": i["deviceId"]})
		}
	}
	w.register(tablet, tokenA)
	w.look()
	w.holds(alice, tokenA)
	w.holds(tablet, tokenA)

	w.do(w.clean.DeleteUser(t.Context(), alice.UserID))
	w.look()
	for _, i := range w.items {
		t.Errorf("%s is left, of %s", text(i, "userId"), text(i, "ownerUserId"))
	}
}
