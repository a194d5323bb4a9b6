package storetest

import (
	"errors"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var corruptChecks = []check{
	{"Corrupt/Get", "corrupt", defaults, func(f *fixture) {
		f.corrupted()
		got, err := f.store.Get(f.Context(), owned.Key)
		f.wantCorrupt("Get", store.Record{Key: owned.Key, Registration: got, Err: err})
	}},
	{"Corrupt/Holder", "corrupt", defaults, func(f *fixture) {
		f.corrupted()
		got, err := f.store.Holder(f.Context(), owned.Token.Hash())
		f.wantCorrupt("Holder", store.Record{Key: owned.Key, Registration: got, Err: err})
	}},
	{"Corrupt/List", "corrupt", defaults, func(f *fixture) {
		f.corrupted()
		f.wantDevices(alice, second.Key.DeviceID)
		f.wantUnchanged(second)
	}},
	{"Corrupt/Register", "corrupt", defaults, func(f *fixture) {
		f.corrupted()
		f.overwrites(owned)
		f.wantUnchanged(second)

		f.Corrupt(f, f.store, second.Key)
		f.overwrites(request(alice, "tablet", token(3)))
		f.creates(request(bob, "tablet", second.Token))
		f.wantEqual("Holder", second.Key, f.holder(token(3)).Key)
	}},
	// A store that removes the row without reading it may report it as moved.
	{"Corrupt/Move", "take-over", defaults, func(f *fixture) {
		f.corrupted()
		got := f.register(taking)
		if got.MovedFrom == owned.Key {
			got.MovedFrom = tokens.Key{}
		}
		f.wantResult(taking, f.clock.Now(), store.Result{Outcome: store.Created}, got)
		f.wantNone(owned.Key)
		f.wantUnchanged(second)
	}},
	// The corrupt device does not count. Registering it again makes room like any new
	// device.
	{"Corrupt/Limit", "limit", three, func(f *fixture) {
		f.corrupted()
		f.register(request(alice, "watch", token(3)))
		f.wantDevices(alice, "tablet", "watch")
		f.clock.advance(time.Hour)
		f.evicts(request(alice, "new", token(4)))

		f.clock.advance(time.Hour)
		f.wantEqual("Evicted", []tokens.Key{second.Key}, f.register(owned).Evicted)
		f.wantDevices(alice, "new", "phone", "watch")
	}},
	{"Corrupt/Deactivate", "corrupt", defaults, deactivates.ofCorrupt},
	{"Corrupt/Invalidate", "corrupt", defaults, invalidates.ofCorrupt},
	{"Corrupt/Delete", "corrupt", defaults, deletes.ofCorrupt},
	{"Corrupt/DeleteUser", "corrupt", defaults, deletesUser.ofCorrupt},
}

// corrupted registers two devices of alice. The first one then cannot be decoded.
func (f *fixture) corrupted() {
	f.Helper()
	f.register(owned)
	f.register(second)
	f.Corrupt(f, f.store, owned.Key)
	f.clock.advance(time.Hour)
}

// overwrites fails unless a Register over a corrupt registration is a creation. The store
// may keep its RegisteredAt.
func (f *fixture) overwrites(req tokens.Request) {
	f.Helper()
	got := f.register(req)
	registeredAt := f.clock.Now()
	if got.Registration.RegisteredAt.Equal(start.Truncate(time.Millisecond)) {
		registeredAt = start
	}
	f.wantResult(req, registeredAt, store.Result{Outcome: store.Created}, got)
}

func (f *fixture) wantCorrupt(what string, r store.Record) {
	f.Helper()
	var corrupt *store.CorruptError
	if !errors.As(r.Err, &corrupt) || corrupt.Key != r.Key {
		f.Errorf("%s of %v: got error %v, want a *store.CorruptError of that key", what, r.Key, r.Err)
		return
	}
	if text := r.Err.Error(); strings.Contains(text, string(r.Key.UserID)) || strings.Contains(text, string(r.Key.DeviceID)) {
		f.Errorf("the error's text %q contains the key", text)
	}
	f.wantEqual(what+" of a registration that cannot be decoded", tokens.Registration{}, r.Registration)
}

// ofCorrupt: Delete and DeleteUser erase the registration. After the other calls it is still
// stored, perhaps decodable and inactive, and the device can register again.
func (r removal) ofCorrupt(f *fixture) {
	f.corrupted()
	r.do(f, owned)
	if r.method != deletesUser.method {
		f.wantDevices(alice, second.Key.DeviceID)
		f.wantUnchanged(second)
	}
	if r.status == "" {
		f.wantErased(owned)
		return
	}
	if got, err := f.store.Get(f.Context(), owned.Key); err != nil || got.Active() {
		f.wantCorrupt("Get", store.Record{Key: owned.Key, Registration: got, Err: err})
	}
	f.overwrites(owned)
}
