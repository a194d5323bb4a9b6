package linearizability

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
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

// checkRounds records so many histories, each of an empty store, until one is wrong.
func checkRounds(t *testing.T, rounds int, ends bool, open func(t *testing.T) store.Store) {
	t.Helper()
	began := time.Now()
	var steps, unknown, again, lost, undecided int
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
			again += h.again
			lost += h.lost
		})
	}
	if undecided > rounds/20 {
		t.Errorf("%d of %d histories were not decided in time", undecided, rounds)
	}
	t.Logf("%d histories of %d steps in all, of which %d were not decided in time; %d steps with an unknown outcome, %d of Holder to try again, %d calls without effect or answer; in %s",
		rounds, steps, undecided, unknown, again, lost, time.Since(began).Round(time.Millisecond))
}

func TestMemstore(t *testing.T) {
	checkRounds(t, 500, false, func(*testing.T) store.Store { return memstore.MustNew(policy) })
}

// TestDynamoDBLocal has some requests lost, and some answers.
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

// TestSQL cuts connections before, during and after statements, and ends contexts. Each history has a table of its own,
// since a statement whose caller is gone may be applied later.
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

// losing fails one statement in forty, half of them when they were executed. Drivers keep no connection whose rollback failed.
func losing(ctx context.Context, text string, send func(context.Context, string) error) error {
	if text == "ROLLBACK" {
		return send(ctx, text)
	}
	switch rand.IntN(80) {
	case 0:
		return errLost
	case 1:
		return errors.Join(send(ctx, text), errLost)
	}
	return send(ctx, text)
}

// A lossy transport loses one write in thirty, or its answer.
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
