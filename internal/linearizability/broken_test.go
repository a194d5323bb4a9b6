package linearizability

import (
	"errors"
	"testing"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestBrokenStores shows that the check is one.
func TestBrokenStores(t *testing.T) {
	tests := []struct {
		name string
		open func() store.Store
	}{
		{"a move in two steps", func() store.Store { return deleteFirst{memstore.MustNew(policy)} }},
		{"no claims", func() store.Store {
			return byUser{of: map[tokens.UserID]store.Store{"alice": memstore.MustNew(policy), "bob": memstore.MustNew(policy)}}
		}},
		{"an unconditional invalidation", func() store.Store { return unconditional{memstore.MustNew(policy)} }},
		{"eventually consistent reads", func() store.Store {
			return &behind{Store: memstore.MustNew(policy), last: make(map[tokens.Key]tokens.Registration)}
		}},
		{"a repeated logout", func() store.Store {
			return twice{Store: memstore.MustNew(policy), again: make(chan tokens.Key, 1)}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const most = 3000
			for seed := range most {
				err := record(t.Context(), tt.open(), false, uint64(seed)).check()
				if errors.Is(err, errNotLinearizable) {
					t.Logf("found out by history %d", seed+1)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			t.Errorf("%d histories are linearizable", most)
		})
	}
}
