package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
)

// An overheard client has the inputs of the last calls.
type overheard struct {
	dynamostore.Client
	update *dynamodb.UpdateItemInput
	query  *dynamodb.QueryInput
}

func (o *overheard) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	o.update = in
	return o.Client.UpdateItem(ctx, in, opts...)
}

func (o *overheard) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	o.query = in
	return o.Client.Query(ctx, in, opts...)
}

// A cannedCall is a call of dynamostore with a canned response, beside the SDK alone,
// which sends the same input and does not decode the response's attributes.
type cannedCall struct {
	name             string
	sdk, dynamostore func() error
}

func cannedCalls(tb testing.TB) []cannedCall {
	tb.Helper()
	rows := make([]string, devices)
	for n := range rows {
		r := newRow(request(0, n, n), now)
		r.ClaimVersion, r.ClaimExpiresAt = "k0yA4n0rHjqvDqLdZ2e4bw", r.ExpiresAt+30*24*3600
		item, err := attributevalue.MarshalMap(r)
		if err != nil {
			tb.Fatal(err)
		}
		rows[n] = dynamotest.ItemJSON(item)
	}
	const capacity = `"ConsumedCapacity":{"TableName":"table","CapacityUnits":1}`
	responses := map[string]string{
		"UpdateItem": `{"Attributes":` + rows[0] + `,` + capacity + `}`,
		"Query":      fmt.Sprintf(`{"Items":[%s],"Count":%d,"ScannedCount":%[2]d,%s}`, strings.Join(rows, ","), devices, capacity),
	}
	client := dynamotest.Offline(dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body) // as a connection does
		_ = r.Body.Close()
		return dynamotest.Answer(r, http.StatusOK, responses[dynamotest.Operation(r)]), nil
	}))
	sent := &overheard{Client: client}
	s := dynamotest.Store(tb, sent, "table", dynamostore.Options{Policy: store.Policy{TTL: ttl, Now: clock}})
	ctx, refreshing := tb.Context(), request(0, 0, 0)
	calls := []cannedCall{
		{"refresh", func() error { _, err := client.UpdateItem(ctx, sent.update); return err }, func() error {
			return register(ctx, s, refreshing, store.Refreshed)
		}},
		{"list-20", func() error { _, err := client.Query(ctx, sent.query); return err }, func() error {
			return list(ctx, s, refreshing.Key.UserID, devices)
		}},
	}
	for _, c := range calls {
		if err := c.dynamostore(); err != nil { // overheard
			tb.Fatal(err)
		}
	}
	return calls
}

// BenchmarkCanned measures the cost of a call in this process.
func BenchmarkCanned(b *testing.B) {
	for _, c := range cannedCalls(b) {
		measured := func(call func() error) func(*testing.B) {
			return func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := call(); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
		b.Run(c.name+"/impl=sdk", measured(c.sdk))
		b.Run(c.name+"/impl=dynamostore", measured(c.dynamostore))
	}
}

// TestCannedAllocations limits dynamostore to 1.12 times the allocations of the SDK alone.
func TestCannedAllocations(t *testing.T) {
	for _, c := range cannedCalls(t) {
		allocations := func(call func() error) float64 {
			return testing.AllocsPerRun(100, func() {
				if err := call(); err != nil {
					t.Fatal(err)
				}
			})
		}
		sdk, ours := allocations(c.sdk), allocations(c.dynamostore)
		t.Logf("%s: %v of the SDK alone, %v of dynamostore", c.name, sdk, ours)
		if ours > 1.12*sdk {
			t.Errorf("%s: %v allocations of the SDK alone, %v of dynamostore", c.name, sdk, ours)
		}
	}
}

// A journey is a call that is measured on a table.
type journey struct {
	name    string
	devices int                                                 // of the first user, which are registered before
	call    func(ctx context.Context, s registrar, n int) error // the n-th
}

var journeys = []journey{
	{"refresh", 1, func(ctx context.Context, s registrar, _ int) error {
		return register(ctx, s, request(0, 0, 0), store.Refreshed)
	}},
	{"new-device", 0, func(ctx context.Context, s registrar, n int) error {
		return register(ctx, s, request(1+n, 0, devices+n), store.Created)
	}},
	{"move", 1, func(ctx context.Context, s registrar, n int) error { // to a user whose row is new
		return register(ctx, s, request(1+n, 0, 0), store.Created)
	}},
	{"list-20", devices, func(ctx context.Context, s registrar, _ int) error { return list(ctx, s, userID(0), devices) }},
}

// onTable are the names of the implementations that are measured on a table.
var onTable = []string{"naive", "dynamostore"}

// newTable creates an empty table on DynamoDB Local for an implementation. recorder may
// be nil.
func newTable(tb testing.TB, name string, recorder *dynamotest.Recorder) registrar {
	tb.Helper()
	c := dynamotest.Client(tb, nil)
	if recorder != nil {
		c = dynamotest.Client(tb, recorder)
	}
	if name == "dynamostore" {
		return dynamotest.Store(tb, c, dynamotest.Table(tb, c), dynamostore.Options{Policy: store.Policy{TTL: ttl}})
	}
	n := naive{client: c, table: "naive-" + rand.Text()}
	if err := createNaive(tb.Context(), c, n.table); err != nil {
		tb.Fatal(err)
	}
	return n
}

func (j journey) prepare(tb testing.TB, s registrar) {
	tb.Helper()
	for i := range j.devices {
		if err := register(tb.Context(), s, request(0, i, i), store.Created); err != nil {
			tb.Fatal(err)
		}
	}
}

// A cost is that of a call on AWS.
type cost struct {
	RoundTrips            int
	WriteUnits, ReadUnits float64
}

// cost makes the journey in a new table. The units follow AWS's documented rules, except
// those of writes to an index, which only DynamoDB Local reports.
func (j journey) cost(tb testing.TB, name string) (sum cost) {
	tb.Helper()
	recorder := &dynamotest.Recorder{}
	s := newTable(tb, name, recorder)
	j.prepare(tb, s)
	recorder.Reset()
	if err := j.call(tb.Context(), s, 0); err != nil {
		tb.Fatalf("%s, %s: %v", name, j.name, err)
	}
	for _, call := range recorder.Calls() {
		sum.RoundTrips++
		sum.ReadUnits += call.ReadUnits
		if call.ReadUnits == 0 {
			sum.WriteUnits += max(call.WriteUnits, call.Reported)
		}
	}
	return sum
}

func BenchmarkDynamoDBLocal(b *testing.B) {
	for _, j := range journeys {
		for _, name := range onTable {
			b.Run(j.name+"/impl="+name, func(b *testing.B) {
				sum := j.cost(b, name)
				s := newTable(b, name, nil)
				j.prepare(b, s)
				for n := 0; b.Loop(); n++ {
					if err := j.call(b.Context(), s, n); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(sum.RoundTrips), "calls/op")
				b.ReportMetric(sum.WriteUnits, "write-units/op")
				b.ReportMetric(sum.ReadUnits, "read-units/op")
			})
		}
	}
}

func TestCosts(t *testing.T) {
	want := map[string]map[string]cost{
		"naive": {
			"refresh":    {RoundTrips: 2, WriteUnits: 1, ReadUnits: 0.5},
			"new-device": {RoundTrips: 2, WriteUnits: 2, ReadUnits: 0.5},
			"move":       {RoundTrips: 3, WriteUnits: 4, ReadUnits: 0.5},
			"list-20":    {RoundTrips: 1, ReadUnits: 2},
		},
		"dynamostore": {
			"refresh":    {RoundTrips: 1, WriteUnits: 1},
			"new-device": {RoundTrips: 3, WriteUnits: 5, ReadUnits: 1},
			"move":       {RoundTrips: 4, WriteUnits: 11, ReadUnits: 1},
			"list-20":    {RoundTrips: 1, ReadUnits: 2},
		},
	}
	got := make(map[string]map[string]cost)
	for _, name := range onTable {
		got[name] = make(map[string]cost)
		for _, j := range journeys {
			got[name][j.name] = j.cost(t, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("costs (-want +got):\n%s", diff)
	}
}
