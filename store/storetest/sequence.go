package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var sequenceChecks = []check{
	{name: "Sequence/LikeMemstore", rule: "last-wins", policy: store.Policy{TTL: store.MinTTL, MaxDevices: 3}, run: sequenceLikeMemstore},
}

// sequenceLikeMemstore makes random calls, the same each time, and fails if the
// store's result differs from memstore's. The other checks give a clearer error; this
// one reaches cases that they do not have.
func sequenceLikeMemstore(f *fixture) { sequenceOn(f, f.store) }

// sequenceOn makes each call on one of the handles.
func sequenceOn(f *fixture, handles ...store.Store) {
	twin := memstore.MustNew(f.policy)
	random := rand.New(rand.NewPCG(2051, 3))
	pauses := []time.Duration{time.Millisecond, time.Second, 2 * store.ClockSkew, time.Hour, f.policy.TTL / 4}
	for n := range 400 {
		if random.IntN(2) == 0 {
			f.clock.advance(pauses[random.IntN(len(pauses))])
		}
		name, do := randomCall(random, f.clock.Now())
		want, wantErr := do(f.Context(), twin)
		got, err := do(f.Context(), handles[n*7/4%len(handles)])
		if !errors.Is(err, wantErr) {
			f.Fatalf("call %d, %s: got error %v, want %v", n, name, err, wantErr)
		}
		if err == nil {
			f.wantEqual(name, want, got)
		}
		if f.Failed() {
			f.Fatalf("call %d differs", n)
		}
	}
}

type randomAnswer func(context.Context, store.Store) (any, error)

// randomCall draws a call on few users, devices and tokens, which often meet.
func randomCall(random *rand.Rand, now time.Time) (name string, do randomAnswer) {
	req := request([]tokens.UserID{alice, bob}[random.IntN(2)], device(random.IntN(4)), spellings(random.IntN(5))[random.IntN(3)])
	req.Platform = []tokens.Platform{tokens.IOS, tokens.Android}[random.IntN(2)]
	req.ProjectID = []tokens.ProjectID{"", "@acme/app"}[random.IntN(2)]
	sentAt := now.Add(-time.Duration(random.IntN(3)) * store.ClockSkew)

	removal := func(do call) randomAnswer {
		return func(ctx context.Context, s store.Store) (any, error) { return nil, do(ctx, s) }
	}
	switch random.IntN(16) {
	case 0:
		return "Delete", removal(deleteCall(req.Key))
	case 1, 2:
		return "Deactivate", removal(deactivateCall(req.Key))
	case 3:
		return "Invalidate", removal(func(ctx context.Context, s store.Store) error {
			reg, err := s.Holder(ctx, req.Token.Hash())
			if err != nil {
				return err
			}
			return s.Invalidate(ctx, reg.Key, req.Token.Hash(), sentAt)
		})
	case 4:
		if random.IntN(4) == 0 {
			return "DeleteUser", removal(deleteUserCall(req.Key.UserID))
		}
		fallthrough
	case 5:
		return "List", func(ctx context.Context, s store.Store) (any, error) {
			regs, err := s.List(ctx, req.Key.UserID)
			return append([]tokens.Registration{}, regs...), err // none may be nil or empty
		}
	case 6:
		return "Holder", func(ctx context.Context, s store.Store) (any, error) { return s.Holder(ctx, req.Token.Hash()) }
	case 7:
		return "Get", func(ctx context.Context, s store.Store) (any, error) { return s.Get(ctx, req.Key) }
	default:
		return "Register", func(ctx context.Context, s store.Store) (any, error) { return s.Register(ctx, req) }
	}
}
