package dynamo

import (
	"context"
	"fmt"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A Store has the measured methods of a store.Store.
type Store interface {
	Register(context.Context, tokens.Request) (store.Result, error)
	List(context.Context, tokens.UserID) ([]tokens.Registration, error)
}

// A Journey is a call that is measured end to end, on a table.
type Journey struct {
	Name    string
	Prepare func(context.Context, Store) error
	Call    func(ctx context.Context, s Store, n int) error // the n-th
}

// Journeys returns all that are measured.
func Journeys() []Journey {
	return []Journey{
		{"refresh", registerAll(1), func(ctx context.Context, s Store, _ int) error {
			return register(ctx, s, user, 0, 0, store.Refreshed)
		}},
		{"new-device", nothing, func(ctx context.Context, s Store, n int) error {
			return register(ctx, s, tokens.UserID(fmt.Sprintf("new-%032d", n)), 0, devices+n, store.Created)
		}},
		{"move", registerAll(1), func(ctx context.Context, s Store, n int) error {
			// To a user who never had it, whose row is new.
			return register(ctx, s, tokens.UserID(fmt.Sprintf("mover-%030d", n)), 0, 0, store.Created)
		}},
		{fmt.Sprintf("list-%d", devices), registerAll(devices), func(ctx context.Context, s Store, _ int) error {
			regs, err := s.List(ctx, user)
			if err == nil && len(regs) != devices {
				err = fmt.Errorf("%d registrations are listed, want %d", len(regs), devices)
			}
			return err
		}},
	}
}

func nothing(context.Context, Store) error { return nil }

func registerAll(n int) func(context.Context, Store) error {
	return func(ctx context.Context, s Store) error {
		for i := range n {
			if err := register(ctx, s, user, i, i, store.Created); err != nil {
				return err
			}
		}
		return nil
	}
}

func register(ctx context.Context, s Store, user tokens.UserID, dev, tok int, want store.Outcome) error {
	result, err := s.Register(ctx, tokens.Request{
		Key:       tokens.Key{UserID: user, DeviceID: device(dev)},
		Token:     tokens.MustParseToken(token(tok)),
		Platform:  request.Platform,
		ProjectID: request.ProjectID,
	})
	if err == nil && result.Outcome != want {
		err = fmt.Errorf("the outcome is %q, want %q", result.Outcome, want)
	}
	return err
}

// expiry is that of the policy of all contenders.
func expiry(now time.Time) time.Time { return store.Policy{TTL: ttl}.Expiry(now) }
