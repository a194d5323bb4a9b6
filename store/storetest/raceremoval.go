package storetest

import (
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/tokens"
)

// Each of these makes a removal and a Register at once. In whichever order they
// are applied, what Register gave must be there at the end; a store that writes
// back what it read before puts the old registration over it.
var raceRemovalChecks = []check{
	{name: "Race/DeactivateAndMove", run: raceDeactivateAndMove},
	{name: "Race/DeactivateAndReplace", run: raceDeactivateAndReplace},
	{name: "Race/InvalidateAndRefresh", run: raceInvalidateAndRefresh},
	{name: "Race/InvalidateAndReplace", run: raceInvalidateAndReplace},
	{name: "Race/DeleteAndMove", run: raceDeleteAndMove},
	{name: "Race/DeleteUserAndMove", run: raceDeleteUserAndMove},
}

// raceOver registers alice's phones, waits an hour, and then removes each while
// to is registered. It fails unless to is what is stored, in any status.
func (f *fixture) raceOver(remove func(tokens.Request) call, to func(n int) tokens.Request) {
	f.Helper()
	for n := range 2 * rounds {
		from, to := request(alice, device(n), token(2*n)), to(n)
		f.clock.set(start)
		f.register(from)
		f.clock.advance(time.Hour)
		calls := []call{remove(from), registerCall(to)}
		if n%2 == 1 {
			slices.Reverse(calls)
		}
		f.together(calls...)

		got := f.get(to.Key)
		want := f.registered(to, got.RegisteredAt, f.clock.Now())
		want.Status = got.Status
		f.wantStored(want)
		if to.Key != from.Key {
			f.wantNone(from.Key)
			f.wantEqual("Status", tokens.Active, got.Status)
		}
		if !to.Token.Equal(from.Token) {
			f.wantNoHolder(from.Token)
		}
	}
}

func movedToBob(n int) tokens.Request { return request(bob, device(n), token(2*n)) }

func replaced(n int) tokens.Request { return request(alice, device(n), token(2*n+1)) }

func raceDeactivateAndMove(f *fixture) {
	f.raceOver(func(r tokens.Request) call { return deactivateCall(r.Key) }, movedToBob)
}

func raceDeactivateAndReplace(f *fixture) {
	f.raceOver(func(r tokens.Request) call { return deactivateCall(r.Key) }, replaced)
}

func (f *fixture) lateReport(r tokens.Request) call {
	return invalidateCall(r.Key, r.Token, start.Add(30*time.Minute))
}

// raceInvalidateAndRefresh refreshes: whichever is applied first, the device is
// registered after the message was sent, and stays active.
func raceInvalidateAndRefresh(f *fixture) {
	f.raceOver(f.lateReport, func(n int) tokens.Request { return request(alice, device(n), token(2*n)) })
	for _, reg := range f.list(alice) {
		f.wantEqual("RegisteredAt", start.UTC().Truncate(time.Millisecond), reg.RegisteredAt)
	}
	if got := len(f.list(alice)); got != 2*rounds {
		f.Errorf("List shows %d devices, want %d", got, 2*rounds)
	}
}

func raceInvalidateAndReplace(f *fixture) {
	f.raceOver(f.lateReport, replaced)
	if got := len(f.list(alice)); got != 2*rounds {
		f.Errorf("List shows %d devices, want %d", got, 2*rounds)
	}
}

func raceDeleteAndMove(f *fixture) {
	f.raceOver(func(r tokens.Request) call { return deleteCall(r.Key) }, movedToBob)
}

func raceDeleteUserAndMove(f *fixture) {
	f.raceOver(func(r tokens.Request) call { return deleteUserCall(r.Key.UserID) }, movedToBob)
}
