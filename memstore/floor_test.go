package memstore_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A floor is the least that could keep tokens at one owner each: two maps and a
// mutex. It checks its arguments and has the clock, but neither a limit nor an
// expiry, and it cannot list. What memstore takes above it is what the rest of
// the contract costs.
type floor struct {
	store.Store // nil: what the floor has not
	policy      store.Policy

	mu      sync.Mutex
	rows    map[tokens.Key]tokens.Registration
	holders map[[32]byte]tokens.Key
}

func newFloor(tb testing.TB, p store.Policy) store.Store {
	p, err := p.WithDefaults()
	if err != nil {
		tb.Fatal(err)
	}
	return &floor{
		policy:  p,
		rows:    map[tokens.Key]tokens.Registration{},
		holders: map[[32]byte]tokens.Key{},
	}
}

func (f *floor) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	if err := req.Validate(); err != nil {
		return store.Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return store.Result{}, err
	}
	hash := req.Token.Hash()
	now := f.policy.Now()
	updatedAt := now.UTC().Truncate(time.Millisecond)

	f.mu.Lock()
	defer f.mu.Unlock()
	old, live := f.rows[req.Key]
	result := store.Result{Outcome: store.Refreshed}
	if !live {
		result.Outcome = store.Created
		old.RegisteredAt = updatedAt
	} else if oldHash := old.Token.Hash(); oldHash != hash {
		result.Outcome = store.Replaced
		delete(f.holders, oldHash)
	}
	if previous, held := f.holders[hash]; held && previous != req.Key {
		result.MovedFrom = previous
		delete(f.rows, previous)
	}
	result.Registration = tokens.Registration{
		Key: req.Key, Token: req.Token, Platform: req.Platform, ProjectID: req.ProjectID, Status: tokens.Active,
		RegisteredAt: old.RegisteredAt, UpdatedAt: updatedAt, ExpiresAt: f.policy.Expiry(now),
	}
	f.rows[req.Key] = result.Registration
	f.holders[hash] = req.Key
	return result, nil
}

func (f *floor) Get(ctx context.Context, key tokens.Key) (tokens.Registration, error) {
	if err := key.Validate(); err != nil {
		return tokens.Registration{}, err
	}
	if err := ctx.Err(); err != nil {
		return tokens.Registration{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r, ok := f.rows[key]
	if !ok {
		return tokens.Registration{}, store.ErrNotFound
	}
	return r, nil
}
