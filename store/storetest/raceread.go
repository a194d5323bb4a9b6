package storetest

import (
	"context"
	"errors"
	"sync"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var raceReadChecks = []check{
	{name: "Race/GetWhileReplacing", run: raceGetWhileReplacing},
	{name: "Race/HolderWhileMoving", run: raceHolderWhileMoving},
	{name: "Race/ListWhileMoving", run: raceListWhileMoving},
}

// readWhile registers the two requests in turns, while read is called by others
// again and again. Before the first read, the first request is registered.
func (f *fixture) readWhile(a, b tokens.Request, read func(context.Context) error) {
	f.Helper()
	f.register(a)
	var (
		wg      sync.WaitGroup
		done    = make(chan struct{})
		readers = make([]error, 2)
	)
	for i := range readers {
		wg.Go(func() {
			for readers[i] == nil {
				readers[i] = read(f.Context())
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for range 2 * workers {
		f.registerAll([]tokens.Request{b})
		f.registerAll([]tokens.Request{a})
	}
	close(done)
	wg.Wait()
	for _, err := range readers {
		if err != nil {
			f.Errorf("read during a write: %v", err)
		}
	}
}

// raceGetWhileReplacing fails if a Get shows a mixture of two requests.
func raceGetWhileReplacing(f *fixture) {
	a, b := request(alice, phone, token(1)), request(alice, phone, token(2))
	b.Platform, b.ProjectID = tokens.Android, ""
	f.readWhile(a, b, func(ctx context.Context) error {
		got, err := f.store.Get(ctx, a.Key)
		if err != nil {
			return err
		}
		for _, req := range []tokens.Request{a, b} {
			if got.Token.Equal(req.Token) && got.Platform == req.Platform && got.ProjectID == req.ProjectID {
				return nil
			}
		}
		return errors.New("no request said what Get shows")
	})
}

func raceHolderWhileMoving(f *fixture) {
	a, b := request(alice, phone, token(1)), request(bob, phone, token(1))
	f.readWhile(a, b, func(ctx context.Context) error {
		got, err := f.store.Holder(ctx, token(1))
		if f.LooseHolder && errors.Is(err, store.ErrTryAgain) {
			return nil
		}
		if err == nil && (!got.Token.Equal(token(1)) || got.Key != a.Key && got.Key != b.Key) {
			return errors.New("the registration that Holder shows never held the token")
		}
		return err
	})
}

func raceListWhileMoving(f *fixture) {
	a, b := request(alice, "first", token(1)), request(alice, "second", token(1))
	f.readWhile(a, b, func(ctx context.Context) error {
		got, err := f.store.List(ctx, alice)
		if err == nil && len(got) != 1 && !f.LooseList {
			return errors.New("the token is in two places, or in none")
		}
		return err
	})
}
