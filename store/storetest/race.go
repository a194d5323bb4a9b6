package storetest

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	workers = 8
	rounds  = 4
)

var raceChecks = []check{
	{"Race/Strangers", "one-instant", defaults, func(f *fixture) {
		reqs := firstN(2 * workers)
		for i := range reqs[:workers] {
			reqs[i].Key.UserID = bob
		}
		f.registerAll(reqs)
		for _, req := range reqs {
			f.wantUnchanged(req)
		}
	}},
	{"Race/OneToken", "one-holder", defaults, raceOneToken},
	{"Race/Swap", "one-holder", defaults, func(f *fixture) {
		reqs := []tokens.Request{
			request(alice, phone, token(0)), taking,
			owned, request(bob, phone, token(0)),
		}
		for range rounds {
			f.registerAll(reqs[:2])
			f.owners(reqs)
			f.registerAll(reqs[2:])
			f.owners(reqs)
			f.registerAll(reqs)
			f.owners(reqs)
		}
	}},
	{"Race/Limit", "limit", store.Policy{MaxDevices: 4}, raceLimit},
}

// together makes the calls at once. It reports whether no call was repeated: a repeated call
// may have been applied twice.
func (f *fixture) together(calls ...call) (once bool) {
	f.Helper()
	var (
		wg    sync.WaitGroup
		begin = make(chan struct{})
		onces = make([]bool, len(calls))
		errs  = make([]error, len(calls))
	)
	for i, do := range calls {
		wg.Go(func() {
			<-begin
			onces[i], errs[i] = repeat(f.Context(), func(ctx context.Context) error { return do(ctx, f.store) })
		})
	}
	f.clock.onReading(runtime.Gosched)
	close(begin)
	wg.Wait()
	f.clock.onReading(nil)

	once = true
	for i := range calls {
		f.must(errs[i], "one of %d calls at once", len(calls))
		once = once && onces[i]
	}
	return once
}

// registerAll returns nil if a request was repeated.
func (f *fixture) registerAll(reqs []tokens.Request) []store.Result {
	f.Helper()
	results := make([]store.Result, len(reqs))
	calls := make([]call, len(reqs))
	for i, req := range reqs {
		calls[i] = func(ctx context.Context, s store.Store) (err error) {
			results[i], err = s.Register(ctx, req)
			return err
		}
	}
	if !f.together(calls...) {
		return nil
	}
	return results
}

// owners returns the tokens of the registered keys. It fails unless Get, List and Holder
// agree, and each token is in one place at most.
func (f *fixture) owners(reqs []tokens.Request) map[tokens.Key]tokens.Token {
	f.Helper()
	owners := map[tokens.Key]tokens.Token{}
	owned := map[[32]byte]tokens.Key{}
	for _, req := range reqs {
		if _, seen := owners[req.Key]; seen || !f.holds(req) {
			continue
		}
		reg := f.get(req.Key)
		if other, taken := owned[reg.Token.Hash()]; taken {
			f.Errorf("%v and %v have one token", other, req.Key)
		}
		owners[req.Key], owned[reg.Token.Hash()] = reg.Token, req.Key
		f.wantStored(reg)
	}
	for _, req := range reqs {
		if _, held := owned[req.Token.Hash()]; !held {
			f.wantNoHolder(req.Token)
		}
	}
	return owners
}

func (f *fixture) wantOwners(n int, reqs []tokens.Request) map[tokens.Key]tokens.Token {
	f.Helper()
	owners := f.owners(reqs)
	if len(owners) != n {
		f.Fatalf("%d registrations, want %d: %v", len(owners), n, owners)
	}
	return owners
}

// raceOneToken registers one token for many users. Each user but one loses it once.
func raceOneToken(f *fixture) {
	for round := range rounds {
		var reqs []tokens.Request
		for i := range workers {
			reqs = append(reqs, request(tokens.UserID(device(i)), device(round), token(round)))
		}
		results := f.registerAll(reqs)
		owners := f.wantOwners(1, reqs)
		if results == nil {
			continue
		}
		told := map[tokens.Key]int{}
		for _, result := range results {
			f.wantEqual("Outcome", store.Created, result.Outcome)
			if result.Moved() {
				told[result.MovedFrom]++
			}
		}
		want := map[tokens.Key]int{}
		for _, req := range reqs {
			if _, owns := owners[req.Key]; !owns {
				want[req.Key] = 1
			}
		}
		f.wantEqual("how often MovedFrom has each key", want, told)
	}
}

func raceLimit(f *fixture) {
	limit := f.policy.MaxDevices
	reqs := firstN(workers)
	results := f.registerAll(reqs)
	owners := f.owners(reqs)

	most := limit
	if f.LooseLimit {
		most += workers - 1
	}
	if len(owners) < limit || len(owners) > most {
		f.Errorf("%d devices, want %d to %d", len(owners), limit, most)
	}
	evicted := map[tokens.Key]int{}
	for _, result := range results {
		for _, k := range result.Evicted {
			evicted[k]++
		}
	}
	for _, req := range reqs {
		_, owns := owners[req.Key]
		if got := evicted[req.Key]; results != nil && (got == 0) != owns {
			f.Errorf("%v was evicted %d times, and is registered: %t", req.Key, got, owns)
		}
	}

	f.register(request(alice, "new", token(workers)))
	f.wantEqual("number of devices", limit, len(f.list(alice)))
}

var raceImportChecks = []check{
	{"Race/ImportOneToken", "one-holder", defaults, func(f *fixture) {
		for round := range rounds {
			var reqs []tokens.Request
			var calls []call
			for i := range workers {
				req := request(tokens.UserID(device(i)), device(round), token(round))
				reqs = append(reqs, req)
				calls = append(calls, importCall(f.registered(req, start, start.Add(-time.Hour))))
			}
			f.together(calls...)
			f.wantOwners(1, reqs)
		}
	}},
	// The newest of many tokens of one device stays.
	{"Race/ImportOneKey", "one-instant", defaults, func(f *fixture) {
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
	}},
	{"Pairs/Import", "import", three, func(f *fixture) {
		f.manyRounds(time.Hour, "import", "refresh", "replace", "take over", "take over with a known device", "import with the other's token")
		f.manyRounds(time.Hour, "import with the other's token", "replace", "take over with a known device", "delete", "delete the other user")
	}},
	pairCheck("ImportStatus", "import", "import a log out", "refresh", "replace", "invalidate"),
	endsDuring("Import", "import with the other's token"),
}
