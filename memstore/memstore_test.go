package memstore_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/store/storetest"
	"github.com/devicetokens/devicetokens/tokens"
)

func newStore(_ testing.TB, p store.Policy) store.Store { return memstore.MustNew(p) }

// backend has every optional interface.
var backend = storetest.Backend{
	New:       newStore,
	Inspector: true,
	Importer:  true,
	Walker:    walker,
}

// walker finds the store that a wrapper observes.
func walker(_ testing.TB, s store.Store) store.Walker {
	if w, ok := s.(interface{ Unwrap() store.Store }); ok {
		s = w.Unwrap()
	}
	return s.(*memstore.Store)
}

// TestContract also looks for tokens and user ids in all errors.
func TestContract(t *testing.T) {
	b := backend
	b.New = func(t testing.TB, p store.Policy) store.Store { return leak.Store(t, newStore(t, p), &leak.Trace{}) }
	storetest.Run(t, b)
}

// TestContractUnreclaimed holds a store to the contract that frees no expired
// row: one that was registered when the clock was far ahead is before them all.
func TestContractUnreclaimed(t *testing.T) {
	b := backend
	b.New = func(t testing.TB, p store.Policy) store.Store {
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
	}
	b.Walker = func(t testing.TB, s store.Store) store.Walker { return withoutAhead{walker(t, s)} }
	storetest.Run(t, b)
}

// withoutAhead leaves out what TestContractUnreclaimed registers.
type withoutAhead struct{ store.Walker }

func (w withoutAhead) Page(ctx context.Context, from store.Cursor, limit int) ([]store.Record, store.Cursor, error) {
	records, next, err := w.Walker.Page(ctx, from, limit)
	return slices.DeleteFunc(records, func(r store.Record) bool { return r.Key == benchRequest("ahead", 0, 0, -1).Key }), next, err
}

func BenchmarkStore(b *testing.B) { storetest.Bench(b, storetest.Backend{New: newStore}) }

func benchRequest(prefix string, user, device, token int) tokens.Request {
	return tokens.Request{
		Key: tokens.Key{
			UserID:   tokens.UserID(fmt.Sprintf("%s-%030d", prefix, user)),
			DeviceID: tokens.DeviceID(fmt.Sprintf("device-%029d", device)),
		},
		Token:     tokens.MustParseToken(fmt.Sprintf("ExponentPushToken[%022d]", token)),
		Platform:  tokens.IOS,
		ProjectID: "@acme/app",
	}
}

func register(s store.Store, req tokens.Request) error {
	_, err := s.Register(context.Background(), req)
	return err
}
