package storetest

import (
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

var valueChecks = []check{
	{name: "Values/OfList", run: valuesOfList},
	{name: "Values/OfEvicted", policy: three, run: valuesOfEvicted},
}

// valuesOfList changes what List returned, past its length too.
func valuesOfList(f *fixture) {
	reqs := requests(alice, 3)
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
}

// valuesOfEvicted changes the keys that a Register returned, before the next one.
func valuesOfEvicted(f *fixture) {
	f.fill(alice)
	for i := range 3 {
		req := request(alice, device(3+i), token(3+i))
		got := f.register(req)
		f.wantEvicted(req, got, device(i))
		for j := range got.Evicted[:cap(got.Evicted)] {
			got.Evicted[:cap(got.Evicted)][j] = key("mallory", phone)
		}
		f.wantDevices(alice, device(i+1), device(i+2), device(i+3))
		f.clock.advance(time.Minute)
	}
}
