package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func TestEvictionOrder(t *testing.T) {
	at := func(device tokens.DeviceID, status tokens.Status, updatedAt int64) tokens.Registration {
		return tokens.Registration{
			Key: tokens.Key{UserID: "u", DeviceID: device}, Status: status, UpdatedAt: time.Unix(updatedAt, 0),
		}
	}
	want := []tokens.Registration{
		at("d", tokens.LoggedOut, 2),
		at("c", tokens.DeviceNotRegistered, 3),
		at("b", tokens.Active, 1),
		at("Z", tokens.Active, 2), // bytes: capitals before small letters
		at("a", tokens.Active, 2),
	}
	for _, a := range want {
		for _, b := range want {
			got := slices.SortedFunc(slices.Values([]tokens.Registration{a, b}), store.EvictionOrder)
			i := slices.IndexFunc(want, func(r tokens.Registration) bool { return r.Key == a.Key })
			j := slices.IndexFunc(want, func(r tokens.Registration) bool { return r.Key == b.Key })
			pair := []tokens.Registration{want[min(i, j)], want[max(i, j)]}
			equal(t, "order", pair, got)
		}
	}
}
