package page

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// maxUsualRows bounds the memory that visitors of the demonstration can take.
const maxUsualRows = 1000

// A usualTable is what most backends have: an upsert by user and device, and a log
// out that deletes the row. It breaks the rule one-holder of package store.
type usualTable struct {
	store.Store // none: httpapi calls the methods below only

	mu   sync.Mutex
	rows map[tokens.Key]tokens.Registration
}

// Register is INSERT … ON CONFLICT (user_id, device_id) DO UPDATE SET token = ….
func (t *usualTable) Register(_ context.Context, req tokens.Request) (store.Result, error) {
	if err := req.Validate(); err != nil {
		return store.Result{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now, outcome := time.Now(), store.Refreshed
	r, found := t.rows[req.Key]
	if !found {
		r.RegisteredAt, outcome = now, store.Created
	}
	if len(t.rows) >= maxUsualRows {
		clear(t.rows)
	}
	r.Key, r.Token, r.Platform, r.Status = req.Key, req.Token, req.Platform, tokens.Active
	r.UpdatedAt, r.ExpiresAt = now, now.Add(store.DefaultTTL)
	t.rows[req.Key] = r
	return store.Result{Registration: r, Outcome: outcome}, nil
}

// List returns the user's rows by device id.
func (t *usualTable) List(_ context.Context, user tokens.UserID) ([]tokens.Registration, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []tokens.Registration
	for key, r := range t.rows {
		if key.UserID == user {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b tokens.Registration) int { return cmp.Compare(a.Key.DeviceID, b.Key.DeviceID) })
	return found, nil
}

// Deactivate is DELETE … WHERE user_id = … AND device_id = ….
func (t *usualTable) Deactivate(_ context.Context, key tokens.Key) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.rows, key)
	return nil
}

// Delete is the same.
func (t *usualTable) Delete(ctx context.Context, key tokens.Key) error { return t.Deactivate(ctx, key) }
