package storetest

import (
	"errors"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// corruptChecks are for a backend that can make rows which its store cannot
// decode.
var corruptChecks = []check{
	{name: "Corrupt/Get", rule: "corrupt", run: corruptGet},
	{name: "Corrupt/List", rule: "corrupt", run: corruptList},
	{name: "Corrupt/Register", rule: "corrupt", run: corruptRegister},
	{name: "Corrupt/Deactivate", rule: "corrupt", run: corruptDeactivate},
	{name: "Corrupt/Delete", rule: "corrupt", run: corruptDelete},
	{name: "Corrupt/DeleteUser", rule: "corrupt", run: corruptDeleteUser},
}

// corrupted registers alice's tablet, and her phone, which then cannot be
// decoded.
func (f *fixture) corrupted() (tablet, phone tokens.Request) {
	f.Helper()
	tablet, phone = request(alice, "tablet", token(2)), request(alice, "phone", token(1))
	f.register(tablet)
	f.register(phone)
	f.Corrupt(f, f.store, phone.Key)
	f.clock.advance(time.Hour)
	return tablet, phone
}

// wantOverwritten registers over what was registered at the beginning and cannot
// be decoded, and fails unless that is a creation. The store may still have read
// when the beginning was.
func (f *fixture) wantOverwritten(req tokens.Request) {
	f.Helper()
	got := f.register(req)
	registeredAt := f.clock.Now()
	if got.Registration.RegisteredAt.Equal(start.Truncate(time.Millisecond)) {
		registeredAt = start
	}
	f.wantResult(req, store.Created, registeredAt, got)
}

func corruptGet(f *fixture) {
	_, phone := f.corrupted()
	_, err := f.store.Get(f.Context(), phone.Key)
	var corrupt *store.CorruptError
	if !errors.As(err, &corrupt) || corrupt.Key != phone.Key {
		f.Fatalf("got error %v, want a *store.CorruptError of %v", err, phone.Key)
	}
	if text := err.Error(); strings.Contains(text, string(alice)) || strings.Contains(text, string(phone.Key.DeviceID)) {
		f.Errorf("the error's text %q names the key", text)
	}
}

func corruptList(f *fixture) {
	tablet, _ := f.corrupted()
	f.wantDevices(alice, tablet.Key.DeviceID)
	f.wantStored(f.registered(tablet, start, start))
}

func corruptRegister(f *fixture) {
	tablet, phone := f.corrupted()
	f.wantOverwritten(phone)
	f.wantStored(f.registered(tablet, start, start))

	f.Corrupt(f, f.store, tablet.Key)
	tablet.Token = token(3)
	f.wantOverwritten(tablet)
}

// corruptDeactivate can only see that the logout is no error, and that nothing
// is left of it when the device registers again.
func corruptDeactivate(f *fixture) {
	tablet, phone := f.corrupted()
	f.deactivate(phone.Key)
	f.wantDevices(alice, tablet.Key.DeviceID)
	f.wantOverwritten(phone)
}

func corruptDelete(f *fixture) {
	tablet, phone := f.corrupted()
	f.delete(phone.Key)
	f.wantErased(phone)
	f.wantStored(f.registered(tablet, start, start))
}

func corruptDeleteUser(f *fixture) {
	_, phone := f.corrupted()
	f.deleteUser(alice)
	f.wantErased(phone)
	f.wantDevices(alice, phone.Key.DeviceID)
}
