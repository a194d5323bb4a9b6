package watch

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	phone1 = "ExponentPushToken[1111111111111111111111]"
	phone2 = "ExponentPushToken[2222222222222222222222]"
)

type desk struct {
	t *testing.T
	*Store
}

func (d desk) register(user, device, token string) {
	d.t.Helper()
	_, err := d.Register(d.t.Context(), tokens.Request{
		Key: tokens.Key{UserID: tokens.UserID(user), DeviceID: tokens.DeviceID(device)}, Token: tokens.MustParseToken(token), Platform: tokens.IOS,
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// TestWatched has each change that a store can make, and checks the limit of kept changes.
func TestWatched(t *testing.T) {
	d := desk{t, New(memstore.MustNew(store.Policy{MaxDevices: 2}))}
	d.register("alice", "a", phone1)
	d.register("alice", "a", phone1)
	d.register("alice", "a", phone2)
	d.register("bob", "a", phone2)
	d.register("bob", "b", phone1)
	d.register("bob", "c", "ExponentPushToken[5555555555555555555555]")
	ctx, key := t.Context(), tokens.Key{UserID: "bob", DeviceID: "b"}
	for _, err := range []error{
		d.Deactivate(ctx, key),
		d.Invalidate(ctx, key, tokens.MustParseToken(phone1).Hash(), time.Now()),
		d.Delete(ctx, key),
		d.DeleteUser(ctx, "bob"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if d.Delete(ctx, tokens.Key{}) == nil {
		t.Error("a key without a user is erased")
	}
	var got []string
	for _, e := range d.Last(MaxEvents) {
		got = append([]string{string(e.Key.UserID) + " " + string(e.Key.DeviceID) + " " + string(e.What)}, got...)
	}
	want := []string{
		"alice a registered", "alice a refreshed", "alice a refreshed with another token",
		"alice a moved to another user, who logged in on the device", "bob a registered", "bob b registered",
		"bob a removed, because the user registered more devices than are allowed", "bob c registered",
		"bob b logged out", "bob b reported gone by Expo", "bob b erased", "bob  erased",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	for range MaxEvents {
		d.register("carol", "a", phone1)
	}
	if n := len(d.Last(2 * MaxEvents)); n != MaxEvents {
		t.Errorf("%d events are kept", n)
	}
	if _, err := store.Inspect(ctx, d.Store, "carol"); err != nil {
		t.Errorf("what it observes cannot be inspected: %v", err)
	}
}
