package storetest

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// workers make calls at once, in each of so many rounds: enough to make a store
// stumble whose steps are not one, few enough for one behind a network.
const (
	workers = 8
	rounds  = 4
)

var raceChecks = []check{
	{name: "Race/Strangers", rule: "one-instant", run: raceStrangers},
	{name: "Race/OneToken", rule: "one-holder", run: raceOneToken},
	{name: "Race/OneKey", rule: "one-instant", run: raceOneKey},
	{name: "Race/Reinstalled", rule: "take-over", run: raceReinstalled},
	{name: "Race/Swap", rule: "one-holder", run: raceSwap},
	{name: "Race/Limit", rule: "limit", policy: store.Policy{MaxDevices: 4}, run: raceLimit},
}

// together makes the calls at once, and repeats each until it is not answered
// with ErrTryAgain. It reports whether nothing was repeated: what was may have
// been applied twice.
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
	// The clock is what a store calls: there, each gives way to the others.
	f.clock.onReading(runtime.Gosched)
	close(begin)
	wg.Wait()
	f.clock.onReading(nil)

	once = true
	for i := range calls {
		if errs[i] != nil {
			f.Fatalf("one of %d calls at once: %v", len(calls), errs[i])
		}
		once = once && onces[i]
	}
	return once
}

// registerAll registers the requests at once, and returns the results if no
// request was repeated, else nil.
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

// owners fails unless Get, List and Holder agree on who of the requests' keys
// has which of their tokens, each token in one place at most. It returns the
// keys that have one.
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

func raceStrangers(f *fixture) {
	reqs := requests(alice, 2*workers)
	for i := range reqs[:workers] {
		reqs[i].Key.UserID = bob
	}
	f.registerAll(reqs)
	for _, req := range reqs {
		f.wantStored(f.registered(req, start, start))
	}
}

// raceOneToken has one token registered by many users: the last has it, and each
// of the others lost it to one.
func raceOneToken(f *fixture) {
	for round := range rounds {
		var reqs []tokens.Request
		for i := range workers {
			reqs = append(reqs, request(tokens.UserID(device(i)), device(round), token(round)))
		}
		results := f.registerAll(reqs)
		owners := f.owners(reqs)
		if len(owners) != 1 {
			f.Fatalf("%d registrations have the token: %v", len(owners), owners)
		}
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
		for _, req := range reqs {
			want := 1
			if _, owns := owners[req.Key]; owns {
				want = 0
			}
			if got := told[req.Key]; got != want {
				f.Errorf("MovedFrom named %v %d times, want %d", req.Key, got, want)
			}
		}
	}
}

// raceOneKey has one device registered with many tokens: one stays.
func raceOneKey(f *fixture) {
	for round := range rounds {
		var reqs []tokens.Request
		for i := range workers {
			reqs = append(reqs, request(alice, device(round), token(round*workers+i)))
		}
		results := f.registerAll(reqs)
		if owners := f.owners(reqs); len(owners) != 1 {
			f.Fatalf("%d registrations, want one", len(owners))
		}
		if results == nil {
			continue
		}
		outcomes := map[store.Outcome]int{}
		for _, result := range results {
			outcomes[result.Outcome]++
		}
		f.wantEqual("outcomes", map[store.Outcome]int{store.Created: 1, store.Replaced: workers - 1}, outcomes)
	}
}

// raceReinstalled has one token registered by many devices of one user: one is
// left, and MovedFrom is always zero.
func raceReinstalled(f *fixture) {
	for round := range rounds {
		reqs := requests(alice, workers)
		for i := range reqs {
			reqs[i].Token = token(round)
		}
		results := f.registerAll(reqs)
		if owners := f.owners(reqs); len(owners) != 1 {
			f.Fatalf("%d registrations have the token, want one", len(owners))
		}
		for _, result := range results {
			if result.Moved() || result.Evicted != nil {
				f.Errorf("moved from %v and evicted %v, want neither", result.MovedFrom, result.Evicted)
			}
		}
	}
}

// raceSwap has two users exchange two tokens, again and again.
func raceSwap(f *fixture) {
	reqs := []tokens.Request{
		request(alice, phone, token(0)), request(bob, phone, token(1)),
		request(alice, phone, token(1)), request(bob, phone, token(0)),
	}
	for range rounds {
		f.registerAll(reqs[:2])
		f.owners(reqs)
		f.registerAll(reqs[2:])
		f.owners(reqs)
		f.registerAll(reqs)
		f.owners(reqs)
	}
}

// raceLimit has twice as many new devices as the limit allows.
func raceLimit(f *fixture) {
	limit := f.policy.MaxDevices
	reqs := requests(alice, workers)
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
	if got := len(f.list(alice)); got != limit {
		f.Errorf("%d devices after one more, want %d", got, limit)
	}
}

// Each of these makes a removal and a Register at once. In whichever order they
// are applied, what Register gave must be there at the end; a store that writes
// back what it read before puts the old registration over it.
var raceRemovalChecks = []check{
	{name: "Race/DeactivateAndMove", rule: "one-instant", run: raceDeactivateAndMove},
	{name: "Race/DeactivateAndReplace", rule: "one-instant", run: raceDeactivateAndReplace},
	{name: "Race/InvalidateAndRefresh", rule: "one-instant", run: raceInvalidateAndRefresh},
	{name: "Race/InvalidateAndReplace", rule: "one-instant", run: raceInvalidateAndReplace},
	{name: "Race/DeleteAndMove", rule: "one-instant", run: raceDeleteAndMove},
	{name: "Race/DeleteUserAndMove", rule: "one-instant", run: raceDeleteUserAndMove},
}

// raceOver registers alice's phones, waits an hour, and then removes each while
// to is registered. It fails unless to is stored, in any status.
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
	return invalidateCall(r.Key, r.Token.Hash(), start.Add(30*time.Minute))
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
