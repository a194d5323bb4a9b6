package linearizability

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
)

var (
	histories = flag.Int("histories", 20, "how many histories of DynamoDB Local to check")
	first     = flag.Uint64("seed", 0, "the `seed` of the first one")
)

// checkRounds records so many histories, each of an empty store, and returns the
// first error.
func checkRounds(t *testing.T, rounds int, open func() store.Store) error {
	t.Helper()
	began := time.Now()
	var steps, unknown, again int
	for seed := *first; seed < *first+uint64(rounds); seed++ {
		h := record(t.Context(), open(), seed)
		if err := h.check(); err != nil {
			return fmt.Errorf("-seed=%d: %w", seed, err)
		}
		steps += len(h.steps)
		unknown += h.unknown
		again += h.again
	}
	t.Logf("%d histories of %d steps in all are linearizable; %d steps with an unknown outcome, %d of Holder to try again; in %s",
		rounds, steps, unknown, again, time.Since(began).Round(time.Millisecond))
	return nil
}

func TestMemstore(t *testing.T) {
	if err := checkRounds(t, 500, func() store.Store { return memstore.MustNew(policy) }); err != nil {
		t.Error(err)
	}
}

// TestDynamoDBLocal has some requests lost, and some answers.
func TestDynamoDBLocal(t *testing.T) {
	opts := dynamostore.Options{Policy: policy}
	c := dynamotest.Client(t, nil)
	table := dynamotest.Table(t, c)
	whole := dynamotest.Store(t, c, table, opts)
	under := dynamotest.Store(t, dynamotest.Client(t, lossy{}, dynamotest.NoRetries), table, opts)
	err := checkRounds(t, *histories, func() store.Store {
		for _, k := range keys {
			if err := whole.DeleteUser(t.Context(), k.UserID); err != nil {
				t.Fatal(err)
			}
		}
		return under
	})
	if err != nil {
		t.Error(err)
	}
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
