package storetest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var sizeChecks = []check{
	{name: "Sizes/MostDevices", rule: "limit", policy: store.Policy{MaxDevices: store.MaxMaxDevices}, run: sizesMostDevices},
}

// sizesMostDevices has a user with as many devices as a policy allows, each of
// which has ids and a token of the greatest length: more than a page of results,
// a batch of statements or a transaction takes.
func sizesMostDevices(f *fixture) {
	const most = store.MaxMaxDevices
	long := func(n, length int) string { return strings.Repeat("\U0001f4f1", length-4) + fmt.Sprintf("%04d", n) }
	big := tokens.UserID(long(0, tokens.MaxUserIDLen))
	devices := make([]tokens.DeviceID, most)
	want := make([]tokens.Registration, most)
	of := func(n int) tokens.Request {
		req := request(big, tokens.DeviceID(long(n, tokens.MaxDeviceIDLen)),
			tokens.MustParseToken("ExponentPushToken["+strings.Repeat("x", tokens.MaxTokenBytes-23)+fmt.Sprintf("%04d", n)+"]"))
		req.ProjectID = tokens.ProjectID(long(n, tokens.MaxProjectIDLen))
		return req
	}
	for n := range most {
		devices[n] = of(n).Key.DeviceID
		want[n] = f.registered(of(n), start, start)
	}
	for some := range slices.Chunk(want, 2*workers) {
		var calls []call
		for _, r := range some {
			calls = append(calls, f.storing(r))
		}
		f.together(calls...)
	}
	f.wantEqual("List", want, f.list(big))
	if f.Inspector {
		f.wantEqual("Inspect", want, registrations(f.inspect(big)))
	}
	if f.Walker != nil {
		f.register(owned)
		shown := map[tokens.Key]bool{}
		for _, r := range f.walk(f.walker(), "", math.MaxInt, nil) {
			shown[r.Key] = true
		}
		f.wantEqual("registrations in a walk without a limit", most+1, len(shown))
	}

	// There is room for none, and the first of all goes.
	f.clock.advance(time.Hour)
	one := of(most)
	f.wantEvicted(one, f.register(one), devices[0])
	f.wantNoHolder(of(0).Token)
	f.wantDevices(big, append(devices[1:], one.Key.DeviceID)...)

	f.deleteUser(big)
	f.wantDevices(big)
	for _, n := range []int{1, most / 4, most / 2, most - 1, most} {
		f.wantErased(of(n))
	}
}

// storing stores the registration in the store's cheapest way: an import does not
// count the user's devices.
func (f *fixture) storing(r tokens.Registration) call {
	if f.Importer {
		return importCall(r)
	}
	return registerCall(tokens.Request{Key: r.Key, Token: r.Token, Platform: r.Platform, ProjectID: r.ProjectID})
}
