package dynamo

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
)

// PutThenUpdate is the name of the contender that does so.
const PutThenUpdate = "put, then update"

// EndToEnd are the names of the contenders on a table, the floor first.
var EndToEnd = []string{PutThenUpdate, Ours}

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
	case PutThenUpdate:
		u := usual{client: c, table: "usual-" + rand.Text()}
		if err := createUsual(tb.Context(), c, u.table); err != nil {
			tb.Fatal(err)
		}
		return u
	}
	tb.Fatalf("no contender is called %q", name)
	return nil
}

// A Cost is what a call costs on AWS.
type Cost struct {
	RoundTrips            int
	WriteUnits, ReadUnits float64
}

// Units are the units that are not zero: "1 W + 0.5 R".
func (c Cost) Units() string {
	var all []string
	if c.WriteUnits > 0 {
		all = append(all, fmt.Sprintf("%v W", c.WriteUnits))
	}
	if c.ReadUnits > 0 {
		all = append(all, fmt.Sprintf("%v R", c.ReadUnits))
	}
	return strings.Join(all, " + ")
}

// Cost makes the journey in a new table of the contender of that name, and
// returns what its call costs. The units are those of AWS's documented rules. What
// is written to an index besides they do not say of a call, but the engine does;
// of transactions and of refused writes it says less than AWS bills.
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
