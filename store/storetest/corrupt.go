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
	{"Corrupt/Get", "corrupt", defaults, corruptGet},
	{"Corrupt/Holder", "corrupt", defaults, corruptHolder},
	{"Corrupt/List", "corrupt", defaults, corruptList},
	{"Corrupt/Register", "corrupt", defaults, corruptRegister},
	{"Corrupt/Move", "take-over", defaults, corruptMove},
	{"Corrupt/Limit", "limit", three, corruptLimit},
	{"Corrupt/Deactivate", "corrupt", defaults, corruptDeactivate},
	{"Corrupt/Invalidate", "corrupt", defaults, corruptInvalidate},
	{"Corrupt/Delete", "corrupt", defaults, corruptDelete},
	{"Corrupt/DeleteUser", "corrupt", defaults, corruptDeleteUser},
}

// corrupted registers alice's tablet, and her phone, which then cannot be
// decoded.
func (f *fixture) corrupted() (tablet, phone tokens.Request) {
	f.Helper()
	tablet, phone = second, request(alice, "phone", token(1))
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
	f.wantResult(req, registeredAt, store.Result{Outcome: store.Created}, got)
}

func corruptGet(f *fixture) {
	_, phone := f.corrupted()
	got, err := f.store.Get(f.Context(), phone.Key)
	f.wantCorrupt("Get", store.Record{Key: phone.Key, Registration: got, Err: err})
}

func corruptHolder(f *fixture) {
	_, phone := f.corrupted()
	got, err := f.store.Holder(f.Context(), phone.Token.Hash())
	f.wantCorrupt("Holder", store.Record{Key: phone.Key, Registration: got, Err: err})
}

// wantCorrupt fails unless the record has the error of what cannot be decoded.
func (f *fixture) wantCorrupt(what string, r store.Record) {
	f.Helper()
	var corrupt *store.CorruptError
	if !errors.As(r.Err, &corrupt) || corrupt.Key != r.Key {
		f.Errorf("%s of %v: got error %v, want a *store.CorruptError of that key", what, r.Key, r.Err)
		return
	}
	if text := r.Err.Error(); strings.Contains(text, string(r.Key.UserID)) || strings.Contains(text, string(r.Key.DeviceID)) {
		f.Errorf("the error's text %q names the key", text)
	}
	f.wantEqual(what+" of what cannot be decoded", tokens.Registration{}, r.Registration)
}

// corruptMove takes the token of what cannot be decoded. A store that removes the
// row without reading it may report it as moved.
func corruptMove(f *fixture) {
	tablet, phone := f.corrupted()
	req := request(bob, "phone", phone.Token)
	got := f.register(req)
	if got.MovedFrom == phone.Key {
		got.MovedFrom = tokens.Key{}
	}
	f.wantResult(req, f.clock.Now(), store.Result{Outcome: store.Created}, got)
	f.wantNone(phone.Key)
	f.wantUnchanged(tablet)
}

// corruptLimit has three devices, one of which cannot be decoded: it does not
// count, and registering it again makes room like any new device.
func corruptLimit(f *fixture) {
	f.corrupted()
	f.register(request(alice, "watch", token(3)))
	f.wantDevices(alice, "tablet", "watch")
	f.clock.advance(time.Hour)
	f.evicts(request(alice, "new", token(4)))

	f.clock.advance(time.Hour)
	again := f.register(request(alice, "phone", token(1)))
	f.wantEqual("Evicted", []tokens.Key{key(alice, "tablet")}, again.Evicted)
	f.wantDevices(alice, "new", "phone", "watch")
}

func corruptList(f *fixture) {
	tablet, _ := f.corrupted()
	f.wantDevices(alice, tablet.Key.DeviceID)
	f.wantUnchanged(tablet)
}

func corruptRegister(f *fixture) {
	tablet, phone := f.corrupted()
	f.wantOverwritten(phone)
	f.wantUnchanged(tablet)

	f.Corrupt(f, f.store, tablet.Key)
	tablet.Token = token(3)
	f.wantOverwritten(tablet)
	f.creates(request(bob, "tablet", token(2)))
	f.wantEqual("Holder", tablet.Key, f.holder(token(3)).Key)
}

// wantStillThere fails if what cannot be decoded is gone. The mark that a store
// makes on it may be what makes it decodable.
func (f *fixture) wantStillThere(k tokens.Key) {
	f.Helper()
	got, err := f.store.Get(f.Context(), k)
	if err == nil && !got.Active() {
		return
	}
	f.wantCorrupt("Get", store.Record{Key: k, Registration: got, Err: err})
}

// corruptDeactivate can only see that the logout is no error, that it erases
// nothing, and that nothing is left of it when the device registers again.
func corruptDeactivate(f *fixture) {
	tablet, phone := f.corrupted()
	f.deactivate(phone.Key)
	f.wantStillThere(phone.Key)
	f.wantDevices(alice, tablet.Key.DeviceID)
	f.wantOverwritten(phone)
}

func corruptInvalidate(f *fixture) {
	tablet, phone := f.corrupted()
	f.invalidate(phone.Key, phone.Token, f.clock.Now())
	f.wantStillThere(phone.Key)
	f.wantDevices(alice, tablet.Key.DeviceID)
	f.wantOverwritten(phone)
}

func corruptDelete(f *fixture) {
	tablet, phone := f.corrupted()
	f.delete(phone.Key)
	f.wantErased(phone)
	f.wantUnchanged(tablet)
}

func corruptDeleteUser(f *fixture) {
	_, phone := f.corrupted()
	f.deleteUser(alice)
	f.wantErased(phone)
	f.wantDevices(alice, phone.Key.DeviceID)
}
