package storetest

import (
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var deleteChecks = []check{
	{name: "Delete/Erases", rule: "delete", run: deleteErases},
	{name: "Delete/Absent", rule: "delete", run: deleteAbsent},
	{name: "Delete/OnlyTheDevice", rule: "own-key", run: deleteOnlyTheDevice},
	{name: "Delete/Late", rule: "own-key", run: deleteLate},
	{name: "Delete/Expired", rule: "delete", run: deleteExpired},
}

var deleteUserChecks = []check{
	{name: "DeleteUser/Erases", rule: "delete-user", run: deleteUserErases},
	{name: "DeleteUser/Absent", rule: "delete-user", run: deleteUserAbsent},
	{name: "DeleteUser/OnlyTheUser", rule: "own-key", run: deleteUserOnlyTheUser},
	{name: "DeleteUser/Late", rule: "own-key", run: deleteUserLate},
	{name: "DeleteUser/Expired", rule: "delete-user", run: deleteUserExpired},
	{name: "DeleteUser/Many", rule: "delete-user", policy: store.Policy{MaxDevices: store.MaxMaxDevices}, run: deleteUserMany},
}

// wantErased fails if anything is left of what req stored: the key, the token,
// or what would make a new registration anything but new. The device registers
// with another token first, so that a store which still finds the old one shows it.
func (f *fixture) wantErased(req tokens.Request) {
	f.Helper()
	f.wantNone(req.Key)
	f.wantNoHolder(req.Token)

	f.clock.advance(time.Hour)
	back := req
	back.Token = tokens.MustParseToken("ExponentPushToken[back-" + string(req.Token.Hash().String()) + "]")
	f.wantResult(back, store.Created, f.clock.Now(), f.register(back))
	f.wantNoHolder(req.Token)

	other := request("erin", req.Key.DeviceID, req.Token)
	f.wantResult(other, store.Created, f.clock.Now(), f.register(other))
	f.wantEqual("Get", f.registered(back, f.clock.Now(), f.clock.Now()), f.get(req.Key))
	f.wantMove(req, store.Replaced, f.clock.Now(), other.Key, f.register(req))
}

func deleteErases(f *fixture) {
	reqs := requests(alice, 3)
	f.inactive(reqs[0], reqs[1])
	f.register(reqs[2])
	for _, req := range reqs {
		f.delete(req.Key)
		f.wantErased(req)
	}
}

func deleteAbsent(f *fixture) {
	f.delete(key(alice, phone))
	f.wantNone(key(alice, phone))
	f.register(request(alice, phone, token(1)))
	for range 2 {
		f.delete(key(alice, phone))
		f.wantNone(key(alice, phone))
	}
}

func deleteOnlyTheDevice(f *fixture) {
	tablet, others := request(alice, "tablet", token(2)), request(bob, phone, token(3))
	f.register(request(alice, phone, token(1)))
	f.register(tablet)
	f.register(others)
	f.delete(key(alice, phone))
	f.wantStored(f.registered(tablet, start, start))
	f.wantStored(f.registered(others, start, start))
}

// deleteLate erases alice's registration of a phone that is bob's by now.
func deleteLate(f *fixture) {
	f.register(request(alice, phone, token(1)))
	req := request(bob, phone, token(1))
	f.register(req)
	f.delete(key(alice, phone))
	f.wantStored(f.registered(req, start, start))
}

// deleteExpired sets the clock back, to see the stored data.
func deleteExpired(f *fixture) {
	req := request(alice, phone, token(1))
	f.register(req)
	f.clock.advance(f.policy.TTL)
	f.delete(req.Key)
	f.clock.set(start)
	f.wantErased(req)
}

func deleteUserErases(f *fixture) {
	reqs := requests(alice, 3)
	f.inactive(reqs[0], reqs[1])
	f.register(reqs[2])
	f.deleteUser(alice)
	f.wantDevices(alice)
	for _, req := range reqs {
		f.wantErased(req)
	}
}

func deleteUserAbsent(f *fixture) {
	f.deleteUser(alice)
	f.register(request(alice, phone, token(1)))
	for range 2 {
		f.deleteUser(alice)
		f.wantNone(key(alice, phone))
	}
}

func deleteUserOnlyTheUser(f *fixture) {
	users := []tokens.UserID{"al", "alice ", "alice#", "Alice", "alicea", "bob"}
	for i, user := range users {
		f.register(request(user, phone, token(i)))
	}
	f.register(request(alice, phone, token(len(users))))
	f.deleteUser(alice)
	f.wantNone(key(alice, phone))
	for _, pattern := range []tokens.UserID{"a%", "a*", "alice_"} {
		f.deleteUser(pattern) // there is no such user
	}
	for i, user := range users {
		f.wantStored(f.registered(request(user, phone, token(i)), start, start))
	}
}

func deleteUserLate(f *fixture) {
	f.register(request(alice, phone, token(1)))
	req := request(bob, phone, token(1))
	f.register(req)
	f.deleteUser(alice)
	f.wantStored(f.registered(req, start, start))
}

// deleteUserExpired has a registration that has expired by a clock that is fast,
// and one that has not.
func deleteUserExpired(f *fixture) {
	expired, live := request(alice, "expired", token(1)), request(alice, "live", token(2))
	f.register(expired)
	f.clock.advance(time.Hour)
	f.register(live)
	f.clock.set(start.Add(f.policy.TTL))
	f.deleteUser(alice)
	f.clock.set(start)
	f.wantErased(expired)
	f.wantErased(live)
}

// deleteUserMany has more registrations than a page or a transaction takes: of
// DynamoDB, 100 items.
func deleteUserMany(f *fixture) {
	const many = 120
	reqs := requests(alice, many)
	for _, req := range reqs {
		f.register(req)
	}
	if got := len(f.list(alice)); got != many {
		f.Errorf("List shows %d devices, want %d", got, many)
	}
	f.deleteUser(alice)
	f.wantDevices(alice)
	for _, req := range []tokens.Request{reqs[0], reqs[many/2], reqs[many-1]} {
		f.wantErased(req)
	}
}
