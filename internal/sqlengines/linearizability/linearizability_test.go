// Package linearizability checks short histories of concurrent calls against a
// sequential model of a store: each call must have the effect of one instant between
// its start and its end.
//
// The histories do not reach the device limit, and the clock stands still. DeleteUser
// and List are one step for each registration, because List is not a snapshot. Holder
// may return [store.ErrTryAgain]. A write that returns it may have been applied, or may
// be applied at any later time.
package linearizability

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/internal/sqlengines"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var (
	histories = flag.Int("histories", 20, "how many histories of each database to check")
	first     = flag.Uint64("seed", 0, "the `seed` of the first one")
)

// checkRounds records histories, each of an empty store, until one is wrong.
func checkRounds(t *testing.T, rounds int, ends bool, open func(t *testing.T) store.Store) {
	t.Helper()
	var steps, unknown, undecided int
	for seed := *first; seed < *first+uint64(rounds) && !t.Failed(); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			h := record(t.Context(), open(t), ends, seed)
			switch err := h.check(); {
			case errors.Is(err, errUndecided):
				undecided++
			case err != nil:
				t.Error(err)
			}
			steps += len(h.steps)
			unknown += h.unknown
		})
	}
	if undecided > rounds/20 {
		t.Errorf("%d of %d histories were not decided in time", undecided, rounds)
	}
	t.Logf("%d histories, %d undecided; %d steps, %d with an unknown outcome", rounds, undecided, steps, unknown)
}

func TestMemstore(t *testing.T) {
	checkRounds(t, 500, false, func(*testing.T) store.Store { return memstore.MustNew(policy) })
}

// TestDynamoDBLocal loses some requests and some responses.
func TestDynamoDBLocal(t *testing.T) {
	opts := dynamostore.Options{Policy: policy}
	c := dynamotest.Client(t, nil)
	table := dynamotest.Table(t, c)
	whole := dynamotest.Store(t, c, table, opts)
	under := dynamotest.Store(t, dynamotest.Client(t, lossy{}, dynamotest.NoRetries), table, opts)
	checkRounds(t, *histories, false, func(t *testing.T) store.Store {
		for _, k := range keys {
			if err := whole.DeleteUser(t.Context(), k.UserID); err != nil {
				t.Fatal(err)
			}
		}
		return under
	})
}

// TestSQL cuts connections before, during and after statements, and ends contexts. Each history has its own table, because
// a statement of an ended call may be applied later.
func TestSQL(t *testing.T) {
	for _, e := range sqlengines.Engines {
		t.Run(e.Name, func(t *testing.T) {
			checkRounds(t, *histories, true, func(t *testing.T) store.Store {
				d := e.Open(t)
				d.NewStore(t, sqlstore.Options{})
				o := sqlengines.Options{Hook: losing}
				if e.Name == "Postgres" {
					wire := &sqlengines.Wire{Cut: func([]byte) sqlengines.Fate {
						if rand.IntN(60) > 0 {
							return sqlengines.Pass
						}
						return []sqlengines.Fate{sqlengines.CutBefore, sqlengines.CutDuring, sqlengines.CutAfter}[rand.IntN(3)]
					}}
					o = sqlengines.Options{Config: wire.Through}
				}
				return d.Store(t, d.Open(t, o), sqlstore.Options{Policy: policy})
			})
		})
	}
}

// losing fails one statement in forty, half of them after their execution.
func losing(ctx context.Context, text string, send sqlengines.Send) error {
	switch rand.IntN(80) {
	case 0:
		return errLost
	case 1:
		return errors.Join(send(ctx, text), errLost)
	}
	return send(ctx, text)
}

// A lossy transport loses one write in thirty, or its response.
type lossy struct{}

var errLost = errors.New("connection reset")

func (lossy) RoundTrip(req *http.Request) (*http.Response, error) {
	target := req.Header.Get("X-Amz-Target")
	write := target == "DynamoDB_20120810.UpdateItem" || target == "DynamoDB_20120810.TransactWriteItems"
	if !write || rand.IntN(30) > 0 {
		return http.DefaultTransport.RoundTrip(req)
	}
	if rand.IntN(2) == 0 {
		return nil, errLost
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	return nil, errors.Join(errLost, resp.Body.Close())
}

// TestBrokenStores checks that the model rejects each broken store.
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
					t.Logf("rejected by history %d", seed+1)
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

// The stores below are correct for one caller and not for concurrent callers.

// deleteFirst moves a token in two steps: between them, no row has it.
type deleteFirst struct{ store.Store }

func (s deleteFirst) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	previous, err := s.Holder(ctx, req.Token.Hash())
	if err != nil || previous.Key == req.Key {
		return s.Store.Register(ctx, req)
	}
	if err := s.Delete(ctx, previous.Key); err != nil {
		return store.Result{}, err
	}
	runtime.Gosched()
	result, err := s.Store.Register(ctx, req)
	if previous.Key.UserID != req.Key.UserID && previous.Active() {
		result.MovedFrom = previous.Key
	}
	return result, err
}

// byUser has a store for each user and no claims. It checks whether another user has the
// token before it writes.
type byUser struct{ of map[tokens.UserID]store.Store }

func (s byUser) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	var from tokens.Key
	for user, other := range s.of {
		if previous, err := other.Holder(ctx, req.Token.Hash()); err == nil && user != req.Key.UserID {
			if previous.Active() {
				from = previous.Key
			}
			runtime.Gosched()
			if err := other.Delete(ctx, previous.Key); err != nil {
				return store.Result{}, err
			}
		}
	}
	result, err := s.of[req.Key.UserID].Register(ctx, req)
	result.MovedFrom = from
	return result, err
}

func (s byUser) Holder(ctx context.Context, h tokens.Hash) (tokens.Registration, error) {
	for _, other := range s.of {
		if reg, err := other.Holder(ctx, h); err == nil {
			return reg, nil
		}
	}
	return tokens.Registration{}, store.ErrNotFound
}

func (s byUser) Get(ctx context.Context, k tokens.Key) (tokens.Registration, error) {
	return s.of[k.UserID].Get(ctx, k)
}

func (s byUser) List(ctx context.Context, u tokens.UserID) ([]tokens.Registration, error) {
	return s.of[u].List(ctx, u)
}

func (s byUser) Deactivate(ctx context.Context, k tokens.Key) error {
	return s.of[k.UserID].Deactivate(ctx, k)
}

func (s byUser) Invalidate(ctx context.Context, k tokens.Key, h tokens.Hash, sentAt time.Time) error {
	return s.of[k.UserID].Invalidate(ctx, k, h, sentAt)
}

func (s byUser) Delete(ctx context.Context, k tokens.Key) error { return s.of[k.UserID].Delete(ctx, k) }

func (s byUser) DeleteUser(ctx context.Context, u tokens.UserID) error {
	return s.of[u].DeleteUser(ctx, u)
}

// unconditional checks that the row has the token, and then marks the row without a
// condition.
type unconditional struct{ store.Store }

func (s unconditional) Invalidate(ctx context.Context, k tokens.Key, h tokens.Hash, sentAt time.Time) error {
	reg, err := s.Get(ctx, k)
	if err != nil || reg.Token.Hash() != h {
		return s.Store.Invalidate(ctx, k, h, sentAt)
	}
	runtime.Gosched()
	if reg, err = s.Get(ctx, k); err != nil {
		return s.Store.Invalidate(ctx, k, h, sentAt)
	}
	return s.Store.Invalidate(ctx, k, reg.Token.Hash(), sentAt)
}

// behind answers Get from a replica that is one read behind.
type behind struct {
	store.Store
	mu   sync.Mutex
	last map[tokens.Key]tokens.Registration
}

func (s *behind) Get(ctx context.Context, k tokens.Key) (tokens.Registration, error) {
	reg, err := s.Store.Get(ctx, k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.last[k]; ok && err == nil {
		s.last[k] = reg
		return last, nil
	}
	if err == nil {
		s.last[k] = reg
	}
	return reg, err
}

// twice repeats a logout, like a client that lost the response, without recording it.
type twice struct {
	store.Store
	again chan tokens.Key
}

func (s twice) Deactivate(ctx context.Context, k tokens.Key) error {
	err := s.Store.Deactivate(ctx, k)
	select {
	case s.again <- k:
	default:
	}
	return err
}

func (s twice) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	result, err := s.Store.Register(ctx, req)
	select {
	case k := <-s.again:
		return result, errors.Join(err, s.Store.Deactivate(ctx, k))
	default:
		return result, err
	}
}
