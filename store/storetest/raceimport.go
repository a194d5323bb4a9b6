package storetest

import (
	"context"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// raceImportChecks import while others write, which a migration should not do:
// even then, the outcome is that of one order of the calls.
var raceImportChecks = []check{
	{name: "Race/ImportOneToken", rule: "one-holder", run: raceImportOneToken},
	{name: "Race/ImportOneKey", rule: "one-instant", run: raceImportOneKey},
	{name: "Race/ImportAndMove", rule: "one-holder", run: func(f *fixture) { f.raceImport(movedToBob) }},
	{name: "Race/ImportAndRefresh", rule: "one-instant", run: func(f *fixture) {
		f.raceImport(func(n int) tokens.Request { return request(alice, device(n), token(2*n)) })
	}},
	{name: "Race/ImportAndReplace", rule: "one-instant", run: func(f *fixture) { f.raceImport(replaced) }},
	{name: "Race/ImportStatusAndRefresh", rule: "one-instant", run: raceImportStatusAndRefresh},
	{name: "Race/ImportAndReplaceHolder", rule: "one-instant", run: raceImportAndReplaceHolder},
	{name: "Pairs/Import", rule: "import", policy: three, run: func(f *fixture) {
		manyRounds("import", "refresh", "take over with a known device", "import with the other's token")(f)
		manyRounds("import with the other's token", "replace", "delete", "delete the other user")(f)
	}},
	{name: "Pairs/ImportStatus", rule: "import", policy: three, run: manyRounds("import a log out", "refresh", "replace", "invalidate")},
	{name: "Ending/Import", rule: "context", policy: three, run: endsDuring("import with the other's token")},
}

// raceImport imports a registration of alice, older than to, at once with to. In
// either order to must be stored.
func (f *fixture) raceImport(to func(n int) tokens.Request) {
	f.Helper()
	for n := range 2 * rounds {
		r := f.registered(request(alice, device(n), token(2*n)), start.Add(-time.Hour), start)
		f.clock.set(start.Add(time.Hour))
		req := to(n)
		var outcome store.ImportOutcome
		var result store.Result
		once := f.race(n,
			func(ctx context.Context, s store.Store) (err error) {
				outcome, err = store.Import(ctx, s, r)
				return err
			},
			func(ctx context.Context, s store.Store) (err error) { result, err = s.Register(ctx, req); return err })

		want, moved := f.registered(req, f.clock.Now(), f.clock.Now()), tokens.Key{}
		switch {
		case req.Key == r.Key && (outcome == store.Imported || !once && f.get(req.Key).RegisteredAt.Equal(r.RegisteredAt)):
			want.RegisteredAt = r.RegisteredAt
		case outcome == store.Imported:
			moved = r.Key
		}
		f.wantStored(want)
		if once {
			f.wantEqual("Registration", want, result.Registration)
			f.wantEqual("MovedFrom", moved, result.MovedFrom)
		}
		if req.Key != r.Key {
			f.wantNone(r.Key)
		}
		if !req.Token.Equal(r.Token) {
			f.wantNoHolder(r.Token)
		}
	}
}

// race makes the calls at once, every other time in the other order.
func (f *fixture) race(n int, calls ...call) (once bool) {
	f.Helper()
	if n%2 == 1 {
		slices.Reverse(calls)
	}
	return f.together(calls...)
}

// raceImportOneToken has registrations of many users with one token imported,
// the newest of which is none: one has the token.
func raceImportOneToken(f *fixture) {
	for round := range rounds {
		var reqs []tokens.Request
		var calls []call
		for i := range workers {
			req := request(tokens.UserID(device(i)), device(round), token(round))
			reqs = append(reqs, req)
			calls = append(calls, importCall(f.registered(req, start, start.Add(-time.Hour))))
		}
		f.together(calls...)
		if owners := f.owners(reqs); len(owners) != 1 {
			f.Fatalf("%d registrations have the token: %v", len(owners), owners)
		}
	}
}

// raceImportOneKey has one device imported with many tokens: the newest stays.
func raceImportOneKey(f *fixture) {
	for round := range rounds {
		var reqs []tokens.Request
		var calls []call
		for i := range workers {
			req := request(alice, device(round), token(round*workers+i))
			reqs = append(reqs, req)
			calls = append(calls, importCall(f.registered(req, start, start.Add(time.Duration(i-workers)*time.Minute))))
		}
		f.together(calls...)
		f.owners(reqs)
		f.wantStored(f.registered(reqs[workers-1], start, start.Add(-time.Minute)))
	}
}

// raceImportStatusAndRefresh has a log out imported while the device registers
// again, which is later in either order.
func raceImportStatusAndRefresh(f *fixture) {
	for n := range 2 * rounds {
		req := request(alice, device(n), token(n))
		f.clock.set(start)
		f.register(req)
		out := f.registered(req, start, start)
		out.Status = tokens.LoggedOut
		f.clock.advance(time.Hour)
		f.race(n, importCall(out), registerCall(req))
		f.wantStored(f.registered(req, start, f.clock.Now()))
	}
}

// raceImportAndReplaceHolder takes the token of bob's phone, which registers with
// another one meanwhile: that is stored in either order.
func raceImportAndReplaceHolder(f *fixture) {
	for n := range 2 * rounds {
		f.clock.set(start)
		f.register(request(bob, device(n), token(2*n)))
		f.clock.advance(time.Hour)
		r := f.registered(request(alice, device(n), token(2*n)), start, f.clock.Now())
		to := request(bob, device(n), token(2*n+1))
		f.race(n, importCall(r), registerCall(to))
		f.wantStored(r)
		f.wantStored(f.registered(to, f.get(to.Key).RegisteredAt, f.clock.Now()))
	}
}
