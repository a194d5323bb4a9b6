package storetest

import (
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

var readChecks = []check{
	{"Get/Absent", "get", defaults, func(f *fixture) {
		f.wantNone(owned.Key)
		f.register(owned)
		f.wantNone(second.Key)
		f.wantNone(taking.Key)
	}},
	{"Get/Inactive", "get", defaults, func(f *fixture) {
		for _, want := range f.inactive(owned, second) {
			f.wantEqual("Get", want, f.get(want.Key))
		}
	}},
	{"Holder/Absent", "holder", defaults, func(f *fixture) {
		f.wantNoHolder(owned.Token)
		f.register(owned)
		f.wantNoHolder(second.Token)
	}},
	{"Holder/Inactive", "holder", defaults, func(f *fixture) {
		for _, want := range f.inactive(owned, second) {
			f.wantEqual("Holder", want, f.holder(want.Token))
		}
	}},
	{"Holder/Respelled", "spelling", defaults, func(f *fixture) {
		for i, registered := range spellings(0) {
			req := request(alice, device(i), registered)
			f.register(req)
			for _, asked := range spellings(0) {
				f.wantEqual("Holder", f.registered(req, start, start), f.holder(asked))
			}
		}
	}},
	{"List/None", "list", defaults, func(f *fixture) {
		f.wantDevices(alice)
		f.register(taking)
		f.wantDevices(alice)
	}},
	{"List/OnlyTheUsers", "list", defaults, func(f *fixture) {
		users := []tokens.UserID{"ann", "anna", "an", "Ann", "ann ", "ann#", "ann\u0301", "ann:x", "ann/x", "an%", "an_", "a*"}
		for i, user := range users {
			f.register(request(user, device(i), token(i)))
		}
		for i, user := range users {
			f.wantDevices(user, device(i))
		}
	}},
	{"List/OnlyActive", "list", defaults, func(f *fixture) {
		reqs := firstN(3)
		f.register(reqs[1])
		f.inactive(reqs[0], reqs[2])
		f.wantDevices(alice, device(1))
		f.register(reqs[2])
		f.wantDevices(alice, device(1), device(2))
		f.deactivate(reqs[1].Key)
		f.deactivate(reqs[2].Key)
		f.wantDevices(alice)
	}},
	// Other orders differ: by letters, without punctuation, by numbers, by length, and
	// by UTF-16, where U+1F4F1 comes before U+FF21.
	{"List/ByDeviceID", "list", defaults, func(f *fixture) {
		sorted := []tokens.DeviceID{"#", "10", "9", "B", "Z", "a", "a-c", "aa", "b", "é", "\uff21", "\U0001f4f1"}
		shuffled := slices.Concat(sorted[7:], sorted[2:7], sorted[:2])
		slices.Reverse(shuffled)
		for i, d := range shuffled {
			f.register(request(alice, d, token(i)))
		}
		f.wantDevices(alice, sorted...)
	}},
	{"Values/OfList", "values", defaults, valuesOfList},
	// It changes the keys that a Register returned before the next one.
	{"Values/OfEvicted", "values", three, func(f *fixture) {
		f.fill()
		for i := range 3 {
			req := nth(3 + i)
			got := f.register(req)
			f.wantEvicted(req, got, device(i))
			for j := range got.Evicted[:cap(got.Evicted)] {
				got.Evicted[:cap(got.Evicted)][j] = key("mallory", phone)
			}
			f.wantDevices(alice, device(i+1), device(i+2), device(i+3))
			f.clock.advance(time.Minute)
		}
		first := f.register(request(alice, "x", token(8)))
		f.register(request(alice, "y", token(9)))
		f.wantEqual("Evicted, after another Register", []tokens.Key{key(alice, device(3))}, first.Evicted)
	}},
}

// valuesOfList changes what List returned, past its length too, and looks at it
// after the next List.
func valuesOfList(f *fixture) {
	reqs := firstN(3)
	var want []tokens.Registration
	for _, req := range reqs {
		f.register(req)
		want = append(want, f.registered(req, start, start))
	}
	for range 2 {
		got := f.list(alice)
		f.wantEqual("List", want, got)
		slices.Reverse(got)
		for i := range got[:cap(got)] {
			got[:cap(got)][i] = tokens.Registration{Key: key("mallory", device(i)), Token: token(9)}
		}
	}
	for _, reg := range want {
		f.wantStored(reg)
	}
	f.register(request(bob, phone, token(9)))
	got := f.list(alice)
	f.list(bob)
	f.wantEqual("List of alice, after a List of bob", want, got)
}
