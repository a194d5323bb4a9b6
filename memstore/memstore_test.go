package memstore_test

import (
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/store/storetest"
)

func newStore(_ testing.TB, p store.Policy) store.Store { return memstore.MustNew(p) }

// TestContract also looks for tokens and user ids in all errors.
func TestContract(t *testing.T) {
	storetest.Run(t, storetest.Backend{New: func(t testing.TB, p store.Policy) store.Store {
		return leak.Store(t, newStore(t, p), &leak.Trace{})
	}})
}

// TestContractUnreclaimed holds a store to the contract that frees no expired
// row: one that was registered when the clock was far ahead is before them all.
func TestContractUnreclaimed(t *testing.T) {
	storetest.Run(t, storetest.Backend{New: func(t testing.TB, p store.Policy) store.Store {
		clock := p.Now
		ahead := func() time.Time { return clock().AddDate(100, 0, 0) }
		now := ahead
		p.Now = func() time.Time { return now() }
		s := memstore.MustNew(p)
		if err := register(s, benchRequest("ahead", 0, 0, -1)); err != nil {
			t.Fatal(err)
		}
		now = clock
		return s
	}})
}
