package storetest

import (
	"slices"

	"github.com/devicetokens/devicetokens/tokens"
)

var listChecks = []check{
	{name: "List/None", run: listNone},
	{name: "List/OnlyTheUsers", run: listOnlyTheUsers},
	{name: "List/OnlyActive", run: listOnlyActive},
	{name: "List/ByDeviceID", run: listByDeviceID},
}

func listNone(f *fixture) {
	f.wantDevices(alice)
	f.register(request(bob, phone, token(1)))
	f.wantDevices(alice)
}

func listOnlyTheUsers(f *fixture) {
	users := []tokens.UserID{"ann", "anna", "an", "Ann", "ann ", "ann#", "ann\u0301"}
	for i, user := range users {
		f.register(request(user, device(i), token(i)))
	}
	for i, user := range users {
		f.wantDevices(user, device(i))
	}
}

func listOnlyActive(f *fixture) {
	reqs := requests(alice, 3)
	f.register(reqs[1])
	f.inactive(reqs[0], reqs[2])
	f.wantDevices(alice, device(1))
	f.register(reqs[2])
	f.wantDevices(alice, device(1), device(2))
	f.deactivate(reqs[1].Key)
	f.deactivate(reqs[2].Key)
	f.wantDevices(alice)
}

// listByDeviceID has ids that other orders sort otherwise: by letters, by
// numbers, by length, and by UTF-16, where U+1F4F1 comes before U+FF21.
func listByDeviceID(f *fixture) {
	sorted := []tokens.DeviceID{"#", "10", "9", "B", "Z", "a", "aa", "b", "é", "\uff21", "\U0001f4f1"}
	if !slices.IsSorted(sorted) {
		f.Fatal("the check's own list is not in byte order")
	}
	shuffled := slices.Concat(sorted[7:], sorted[2:7], sorted[:2])
	slices.Reverse(shuffled)
	for i, d := range shuffled {
		f.register(request(alice, d, token(i)))
	}
	f.wantDevices(alice, sorted...)
}
