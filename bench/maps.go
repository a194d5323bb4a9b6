package bench

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// twoMaps is the minimal implementation in memory that keeps each token at one
// registration. It validates its arguments like a store, and has neither a device limit
// nor an expiry.
type twoMaps struct {
	policy store.Policy // without zero fields

	mu      sync.Mutex
	users   map[tokens.UserID]map[tokens.DeviceID]tokens.Registration
	holders map[tokens.Hash]tokens.Key
}

func newMaps(p store.Policy) *twoMaps {
	p, err := p.WithDefaults()
	if err != nil {
		panic(err) // the policies are constants
	}
	return &twoMaps{
		policy:  p,
		users:   make(map[tokens.UserID]map[tokens.DeviceID]tokens.Registration),
		holders: make(map[tokens.Hash]tokens.Key),
	}
}

func (m *twoMaps) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	if err := cmp.Or(req.Validate(), ctx.Err()); err != nil {
		return store.Result{}, err
	}
	hash := req.Token.Hash()
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.policy.Now()
	updatedAt := now.UTC().Truncate(time.Millisecond)
	result := store.Result{Outcome: store.Refreshed}
	old, live := m.users[req.Key.UserID][req.Key.DeviceID]
	switch {
	case !live:
		result.Outcome = store.Created
		old.RegisteredAt = updatedAt
	case !old.Token.Equal(req.Token):
		result.Outcome = store.Replaced
		delete(m.holders, old.Token.Hash())
	}
	if previous, held := m.holders[hash]; held && previous != req.Key {
		if previous.UserID != req.Key.UserID {
			result.MovedFrom = previous
		}
		m.remove(previous)
	}
	result.Registration = tokens.Registration{
		Key: req.Key, Token: req.Token, Platform: req.Platform, ProjectID: req.ProjectID, Status: tokens.Active,
		RegisteredAt: old.RegisteredAt, UpdatedAt: updatedAt, ExpiresAt: m.policy.Expiry(now),
	}
	if m.users[req.Key.UserID] == nil {
		m.users[req.Key.UserID] = make(map[tokens.DeviceID]tokens.Registration)
	}
	m.users[req.Key.UserID][req.Key.DeviceID] = result.Registration
	m.holders[hash] = req.Key
	return result, nil
}

func (m *twoMaps) remove(key tokens.Key) {
	devices := m.users[key.UserID]
	if delete(devices, key.DeviceID); len(devices) == 0 {
		delete(m.users, key.UserID)
	}
}

func (m *twoMaps) Get(ctx context.Context, key tokens.Key) (tokens.Registration, error) {
	if err := cmp.Or(key.Validate(), ctx.Err()); err != nil {
		return tokens.Registration{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.users[key.UserID][key.DeviceID]
	if !ok {
		return tokens.Registration{}, store.ErrNotFound
	}
	return r, nil
}

func (m *twoMaps) List(ctx context.Context, user tokens.UserID) ([]tokens.Registration, error) {
	if err := cmp.Or(user.Validate(), ctx.Err()); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var regs []tokens.Registration
	for _, r := range m.users[user] {
		regs = append(regs, r)
	}
	slices.SortFunc(regs, func(a, b tokens.Registration) int { return cmp.Compare(a.Key.DeviceID, b.Key.DeviceID) })
	return regs, nil
}
