package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// raceReadChecks read while another caller writes. All attributes of a result must
// have been stored at one instant.
var raceReadChecks = []check{
	{"Race/GetWhileReplacing", "one-instant", defaults, func(f *fixture) {
		f.showsWholeWrites(func() ([]tokens.Registration, error) {
			got, err := f.store.Get(f.Context(), owned.Key)
			return []tokens.Registration{got}, err
		})
	}},
	{"Race/ListWhileReplacing", "one-instant", defaults, func(f *fixture) {
		f.showsWholeWrites(func() ([]tokens.Registration, error) { return f.store.List(f.Context(), alice) })
	}},
	{"Race/HolderWhileReplacing", "one-instant", defaults, func(f *fixture) {
		f.showsWholeWrites(func() ([]tokens.Registration, error) {
			regs, err := f.holderOf(token(1))
			if errors.Is(err, store.ErrNotFound) { // the phone has the other token
				return nil, nil
			}
			if len(regs) == 1 && !regs[0].Token.Equal(token(1)) {
				err = errors.New("a registration of another token is the Holder")
			}
			return regs, err
		})
	}},
	{"Race/HolderWhileMoving", "one-instant", defaults, func(f *fixture) {
		f.readWhileMoving(owned, taking, func() ([]tokens.Registration, error) {
			return f.holderOf(token(1))
		})
	}},
	{"Race/ListWhileMoving", "one-instant", defaults, func(f *fixture) {
		f.readWhileMoving(request(alice, "first", token(1)), request(alice, "second", token(1)), func() ([]tokens.Registration, error) {
			got, err := f.store.List(f.Context(), alice)
			if err == nil && len(got) != 1 && !f.LooseList {
				err = errors.New("the token is in two places, or in none")
			}
			return got, err
		})
	}},
	{"Race/ReadDuringARead", "one-instant", three, raceReadDuringARead},
}

// raceReadDuringARead logs out while a read runs, and then reads again. The second
// read must not return the result of the first, which began before the logout.
func raceReadDuringARead(f *fixture) {
	f.setScene(0)
	logout, login := scene(0).action("deactivate"), scene(0).action("refresh")
	for _, name := range []string{"get", "holder", "list"} {
		read := scene(0).action(name)
		p := f.newPair(read, logout, f.store, f.store)
		const most = 6
		moments := most
		for n := range most {
			at := 1 + n*max(moments, most)/most
			var before, during, after string
			var errs [5]error
			once := func(a action) (answer string, err error) {
				_, err = repeat(f.Context(), func(ctx context.Context) (err error) { answer, err = a.do(ctx, f.store); return err })
				return answer, err
			}
			begin := time.Now()
			_, errs[0] = once(login)
			p.pace = time.Since(begin)
			moments = p.within(at, func(ctx context.Context) {
				_, errs[1] = repeat(ctx, func(ctx context.Context) (err error) { before, err = read.do(ctx, f.store); return err })
			}, func(context.Context) {
				_, errs[2] = once(logout)
				during, errs[3] = once(read)
			})
			if after, errs[4] = once(read); errors.Join(errs[:]...) != nil {
				f.Fatalf("%s during a %s: %v", name, name, errors.Join(errs[:]...))
			}
			if during != after {
				f.Fatalf("a %s that began after a Deactivate had ended does not show it:\ngot  %s\nwant %s\nAnother %s, which began before, returned %s",
					name, during, after, name, before)
			}
		}
	}
}

type write struct {
	at time.Time
	do call
}

// The writes go on until as many registrations were read, or for as long on a slow
// store: a read that takes two steps has to meet a write between them.
const (
	mostReads    = 2000
	longestReads = time.Second
)

// readWhile makes the writes in turns while other goroutines read. It fails if a read fails
// or returns a registration that is not one of the states.
func (f *fixture) readWhile(states []tokens.Registration, read func() ([]tokens.Registration, error), writes ...write) {
	f.Helper()
	do := func(w write) {
		f.clock.set(w.at)
		_, err := repeat(f.Context(), func(ctx context.Context) error { return w.do(ctx, f.store) })
		f.must(err, "write")
	}
	do(writes[0])
	var (
		wg      sync.WaitGroup
		count   atomic.Int64
		done    = make(chan struct{})
		readers = make([]error, 2)
	)
	end := sync.OnceFunc(func() {
		close(done)
		wg.Wait()
		f.clock.onReading(nil)
	})
	defer end() // a write may fail
	for i := range readers {
		wg.Go(func() {
			for readers[i] == nil {
				regs, err := read()
				for _, got := range regs {
					if err == nil && !slices.ContainsFunc(states, func(r tokens.Registration) bool { return cmp.Equal(r, got, exactly) }) {
						err = fmt.Errorf("no write stored this registration:\n%+v", got)
					}
				}
				readers[i] = err
				count.Add(int64(len(regs)))
				select {
				case <-done:
					return
				default:
				}
			}
			count.Add(mostReads) // ends the writes
		})
	}
	f.clock.onReading(runtime.Gosched)
	begin := time.Now()
	for n := 0; n < workers || count.Load() < mostReads && time.Since(begin) < f.spends(longestReads); n++ {
		for _, w := range writes[1:] {
			do(w)
		}
		do(writes[0])
	}
	end()
	for _, err := range readers {
		if err != nil {
			f.Errorf("read during a write: %v", err)
		}
	}
}

func (f *fixture) showsWholeWrites(read func() ([]tokens.Registration, error)) {
	f.Helper()
	later := start.Add(time.Hour)
	a, b := owned, reissued
	b.Platform, b.ProjectID = tokens.Android, ""
	out := f.registered(a, start, start)
	out.Status = tokens.LoggedOut
	f.readWhile(
		[]tokens.Registration{f.registered(a, start, start), out, f.registered(b, start, later)}, read,
		write{start, registerCall(a)}, write{start, deactivateCall(a.Key)}, write{later, registerCall(b)})
}

func (f *fixture) readWhileMoving(a, b tokens.Request, read func() ([]tokens.Registration, error)) {
	f.Helper()
	later := start.Add(time.Hour)
	b.Platform, b.ProjectID = tokens.Android, ""
	f.readWhile(
		[]tokens.Registration{f.registered(a, start, start), f.registered(b, later, later)}, read,
		write{start, registerCall(a)}, write{later, registerCall(b)})
}

// holderOf returns none after an ErrTryAgain that the backend declares.
func (f *fixture) holderOf(t tokens.Token) ([]tokens.Registration, error) {
	got, err := f.store.Holder(f.Context(), t.Hash())
	if f.LooseHolder && errors.Is(err, store.ErrTryAgain) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []tokens.Registration{got}, nil
}
