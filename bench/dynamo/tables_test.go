package dynamo

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
)

// Naive is the name of the naive implementation.
const Naive = "naive"

// EndToEnd are the names of the contenders on a table, the naive one first.
var EndToEnd = []string{Naive, Ours}

// NewTable creates an empty table on DynamoDB Local for the contender of that
// name. recorder is nil, or sees what goes there.
func NewTable(tb testing.TB, name string, recorder *dynamotest.Recorder) Store {
	tb.Helper()
	c := dynamotest.Client(tb, nil)
	if recorder != nil {
		c = dynamotest.Client(tb, recorder)
	}
	switch name {
	case Ours:
		table := dynamotest.Table(tb, c)
		return dynamotest.Store(tb, c, table, dynamostore.Options{Policy: store.Policy{TTL: ttl}})
	case Naive:
		n := naive{client: c, table: "naive-" + rand.Text()}
		if err := createNaive(tb.Context(), c, n.table); err != nil {
			tb.Fatal(err)
		}
		return n
	}
	tb.Fatalf("no contender is called %q", name)
	return nil
}

// A Cost is what a call costs on AWS.
type Cost struct {
	RoundTrips            int
	WriteUnits, ReadUnits float64
}

// Cost makes the journey in a new table of the contender of that name, and
// returns what its call costs. The units follow AWS's documented rules, except
// those of writes to an index, which only DynamoDB Local reports.
func (j Journey) Cost(tb testing.TB, name string) (Cost, error) {
	ctx := context.Background()
	recorder := &dynamotest.Recorder{}
	s := NewTable(tb, name, recorder)
	if err := j.Prepare(ctx, s); err != nil {
		return Cost{}, err
	}
	recorder.Reset()
	if err := j.Call(ctx, s, 0); err != nil {
		return Cost{}, err
	}
	var sum Cost
	for _, call := range recorder.Calls() {
		sum.RoundTrips++
		sum.ReadUnits += call.ReadUnits
		if call.ReadUnits == 0 {
			sum.WriteUnits += max(call.WriteUnits, call.Reported)
		}
	}
	return sum, nil
}
