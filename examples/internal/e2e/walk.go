package e2e

import (
	"strings"
	"testing"
	"time"
)

func changesHands(t *testing.T, alice, bob app, phone string) {
	alice.listed(t)
	created := alice.register(t, "phone", phone, 201)
	if created.DeviceID != "phone" || created.Platform != "ios" || created.ProjectID != "" {
		t.Errorf("registered is %+v", created)
	}
	if !created.RegisteredAt.Equal(created.UpdatedAt) || created.ExpiresAt.Before(created.UpdatedAt.Add(7*24*time.Hour)) {
		t.Errorf("times are %v, %v and %v", created.RegisteredAt, created.UpdatedAt, created.ExpiresAt)
	}
	refreshed := alice.register(t, "phone", phone, 200)
	if !refreshed.RegisteredAt.Equal(created.RegisteredAt) || refreshed.UpdatedAt.Before(created.UpdatedAt) {
		t.Errorf("refreshed is %+v, and was %+v", refreshed, created)
	}
	alice.listed(t, "phone")

	bob.register(t, "phone", strings.Replace(phone, "ExponentPushToken", "ExpoPushToken", 1), 201) // the same, spelled otherwise
	alice.listed(t)
	bob.listed(t, "phone")

	alice.remove(t, "?deviceId=phone") // a late log-out does not touch bob's registration
	bob.listed(t, "phone")

	bob.remove(t, "?deviceId=phone")
	bob.listed(t)
	bob.remove(t, "?deviceId=phone")
	bob.register(t, "phone", phone, 200) // it was there, inactive
	bob.listed(t, "phone")
	bob.remove(t, "?deviceId=phone&permanent=true")
	bob.listed(t)
	bob.register(t, "phone", phone, 201)
	bob.remove(t, "?permanent=true&deviceId=phone")
}

func severalDevices(t *testing.T, carol app, phone func(string) string) {
	carol.register(t, "b", phone("b"), 201)
	carol.register(t, `ä#&=?+%/ \"`, phone("c"), 201)
	carol.register(t, "a", phone("a"), 201)
	carol.listed(t, "a", "b", `ä#&=?+%/ "`)
	carol.register(t, "a", phone("a2"), 200)  // another token on the same device
	carol.register(t, "a2", phone("a2"), 201) // reinstalled: another device id with the same token
	carol.listed(t, "a2", "b", `ä#&=?+%/ "`)
	carol.remove(t, "?deviceId=%C3%A4%23%26%3D%3F%2B%25%2F+%22&userId=another-user")
	carol.remove(t, "?deviceId=a2&permanent=false")
	carol.remove(t, "?deviceId=b&permanent=true")
	carol.listed(t)
}
