package memory

import (
	"context"
	"sync"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A Floor is the least that could keep tokens at one owner each: two maps and a
// mutex. It checks its arguments as a store does, but has neither a limit nor an
// expiry.
//
// Two maps cannot list what a user has. The floor looks up the devices that the
// caller names, who keeps a list of them somewhere else, and pays for it there.
type Floor struct {
	policy store.Policy

	mu      sync.Mutex
	rows    map[tokens.Key]tokens.Registration
	holders map[[32]byte]tokens.Key
}

// NewFloor returns an empty one. The policy has no zero fields.
func NewFloor(p store.Policy) *Floor {
	return &Floor{
		policy:  p,
		rows:    make(map[tokens.Key]tokens.Registration),
		holders: make(map[[32]byte]tokens.Key),
	}
}

// Register is as store.Store has it, without the limit.
func (f *Floor) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	if err := ready(ctx, req.Validate()); err != nil {
		return store.Result{}, err
	}
	hash := req.Token.Hash()

	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.policy.Now()
	old, live := f.rows[req.Key]
	result := store.Result{Outcome: store.Refreshed}
	if !live {
		result.Outcome = store.Created
		old.RegisteredAt = now.UTC().Truncate(time.Millisecond)
	} else if !old.Token.Equal(req.Token) {
		result.Outcome = store.Replaced
		delete(f.holders, old.Token.Hash())
	}
	if previous, held := f.holders[hash]; held && previous != req.Key {
		if previous.UserID != req.Key.UserID {
			result.MovedFrom = previous
		}
		delete(f.rows, previous)
	}
	result.Registration = registration(f.policy, req, now, old.RegisteredAt)
	f.rows[req.Key] = result.Registration
	f.holders[hash] = req.Key
	return result, nil
}

// Get is as store.Store has it.
func (f *Floor) Get(ctx context.Context, key tokens.Key) (tokens.Registration, error) {
	if err := ready(ctx, key.Validate()); err != nil {
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

// List is as store.Store has it, of the devices.
func (f *Floor) List(ctx context.Context, user tokens.UserID, devices []tokens.DeviceID) ([]tokens.Registration, error) {
	if err := ready(ctx, user.Validate()); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var regs []tokens.Registration
	for _, device := range devices {
		if r, ok := f.rows[tokens.Key{UserID: user, DeviceID: device}]; ok && r.Active() {
			regs = append(regs, r)
		}
	}
	return regs, nil
}

// Delete is as store.Store has it.
func (f *Floor) Delete(ctx context.Context, key tokens.Key) error {
	if err := ready(ctx, key.Validate()); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if r, ok := f.rows[key]; ok {
		delete(f.holders, r.Token.Hash())
		delete(f.rows, key)
	}
	return nil
}
