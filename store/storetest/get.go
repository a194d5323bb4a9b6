package storetest

import (
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

var getChecks = []check{
	{name: "Get/Absent", run: getAbsent},
	{name: "Get/Inactive", run: getInactive},
}

var holderChecks = []check{
	{name: "Holder/Absent", run: holderAbsent},
	{name: "Holder/Inactive", run: holderInactive},
	{name: "Holder/Respelled", run: holderRespelled},
}

func getAbsent(f *fixture) {
	f.wantNone(key(alice, phone))
	f.register(request(alice, phone, token(1)))
	f.wantNone(key(alice, "tablet"))
	f.wantNone(key(bob, phone))
}

func getInactive(f *fixture) {
	for _, want := range f.inactive(request(alice, "out", token(1)), request(alice, "gone", token(2))) {
		f.wantEqual("Get", want, f.get(want.Key))
	}
}

func holderAbsent(f *fixture) {
	f.wantNoHolder(token(1))
	f.register(request(alice, phone, token(1)))
	f.wantNoHolder(token(2))
}

func holderInactive(f *fixture) {
	for _, want := range f.inactive(request(alice, "out", token(1)), request(alice, "gone", token(2))) {
		f.wantEqual("Holder", want, f.holder(want.Token))
	}
}

func holderRespelled(f *fixture) {
	for i, registered := range spellings(0) {
		req := request(alice, device(i), registered)
		f.register(req)
		for _, asked := range spellings(0) {
			f.wantEqual("Holder", f.registered(req, start, start), f.holder(asked))
		}
	}
}

// inactive registers both devices, one of which logs out, while Expo reports the
// other one gone. It returns what the store has to hold.
func (f *fixture) inactive(out, gone tokens.Request) [2]tokens.Registration {
	f.Helper()
	f.register(out)
	f.deactivate(out.Key)
	f.register(gone)
	f.invalidate(gone.Key, gone.Token, f.clock.Now().Add(time.Hour))

	want := [2]tokens.Registration{
		f.registered(out, f.clock.Now(), f.clock.Now()),
		f.registered(gone, f.clock.Now(), f.clock.Now()),
	}
	want[0].Status, want[1].Status = tokens.LoggedOut, tokens.DeviceNotRegistered
	return want
}
