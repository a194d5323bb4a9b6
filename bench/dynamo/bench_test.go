package dynamo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// BenchmarkCanned measures what a call costs in this process: the answers are
// canned, at the HTTP transport of the SDK's client.
func BenchmarkCanned(b *testing.B) {
	for _, op := range Operations() {
		for _, c := range Contenders(nil) {
			b.Run(op.Name+"/impl="+c.Name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := op.Call(c, b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// All contenders return the same registrations, to the spelling of the tokens.
func TestSameAnswers(t *testing.T) {
	exactly := cmp.Comparer(func(a, b tokens.Token) bool { return a.Reveal() == b.Reveal() })
	for _, c := range Contenders(nil) {
		reg, err := c.Refresh(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		if diff := cmp.Diff(refreshed(first), reg, exactly); diff != "" {
			t.Errorf("%s refreshes (-want +got):\n%s", c.Name, diff)
		}
		regs, err := c.List(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		if diff := cmp.Diff(before(), regs, exactly); diff != "" {
			t.Errorf("%s lists (-want +got):\n%s", c.Name, diff)
		}
	}
}

// The calls written by hand send what dynamostore sends, but for the names of
// placeholders.
func TestSameRequests(t *testing.T) {
	sent := make(map[string][]map[string]any)
	all := Contenders(func(operation string, body []byte) {
		sent[operation] = append(sent[operation], withoutPlaceholders(t, body))
	})
	for _, c := range all {
		if c.Name == Guregu {
			continue // it writes some conditions in its own way
		}
		for _, op := range Operations() {
			if err := op.Call(c, t.Context()); err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
		}
	}
	if diff := cmp.Diff([]string{"Query", "UpdateItem"}, slices.Sorted(maps.Keys(sent))); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	for operation, requests := range sent {
		if len(requests) != 2 {
			t.Fatalf("%d requests of %s, want one of each", len(requests), operation)
		}
		if diff := cmp.Diff(requests[0], requests[1]); diff != "" {
			t.Errorf("%s (-sdk +dynamostore):\n%s", operation, diff)
		}
	}
}

var placeholder = regexp.MustCompile(`[#:]\w+`)

// withoutPlaceholders returns a request with what its placeholders stand for in
// the place of each.
func withoutPlaceholders(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var request map[string]any
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&request); err != nil {
		t.Fatal(err)
	}
	stands := make(map[string]string)
	for _, member := range []string{"ExpressionAttributeNames", "ExpressionAttributeValues"} {
		for name, value := range request[member].(map[string]any) {
			stands[name] = string(encode(value))
		}
		delete(request, member)
	}
	used := make(map[string]bool)
	for member, value := range request {
		if strings.HasSuffix(member, "Expression") {
			request[member] = placeholder.ReplaceAllStringFunc(value.(string), func(name string) string {
				used[name] = true
				return stands[name]
			})
		}
	}
	if len(used) != len(stands) {
		t.Errorf("%d placeholders are used of %d", len(used), len(stands))
	}
	return request
}

// maxRatio is how many allocations dynamostore may make for each of the calls
// written by hand.
const maxRatio = 1.05

func TestAllocations(t *testing.T) {
	const runs = 100
	for _, op := range Operations() {
		allocations := make(map[string]float64)
		for _, c := range Contenders(nil) {
			allocations[c.Name] = testing.AllocsPerRun(runs, func() {
				if err := op.Call(c, t.Context()); err != nil {
					t.Fatal(err)
				}
			})
		}
		ratio := allocations[Ours] / allocations[Raw]
		t.Logf("%s: %v allocations, %.3f times those by hand", op.Name, allocations, ratio)
		if ratio > maxRatio {
			t.Errorf("%s: %.3f times the allocations of the calls written by hand, want at most %.2f", op.Name, ratio, maxRatio)
		}
		if allocations[Ours] >= allocations[Guregu] {
			t.Errorf("%s: %.0f allocations, want fewer than guregu's %.0f", op.Name, allocations[Ours], allocations[Guregu])
		}
	}
}

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
