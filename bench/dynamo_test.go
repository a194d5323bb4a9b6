package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
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

// exactly distinguishes two spellings of a token.
var exactly = cmp.Comparer(func(a, b tokens.Token) bool { return a.Reveal() == b.Reveal() })

var cannedCalls = []struct {
	name string
	call func(contender, context.Context) error
}{
	{"refresh", func(c contender, ctx context.Context) error { _, err := c.refresh(ctx); return err }},
	{"list-20", func(c contender, ctx context.Context) error { _, err := c.list(ctx); return err }},
}

// BenchmarkCanned measures the cost of a call in this process.
func BenchmarkCanned(b *testing.B) {
	for _, op := range cannedCalls {
		for _, c := range contenders(nil) {
			b.Run(op.name+"/impl="+c.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := op.call(c, b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func TestCannedAnswers(t *testing.T) {
	for _, c := range contenders(nil) {
		reg, err := c.refresh(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(refreshed(refreshing, before()[0].RegisteredAt), reg, exactly); diff != "" {
			t.Errorf("%s refreshes (-want +got):\n%s", c.name, diff)
		}
		regs, err := c.list(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(before(), regs, exactly); diff != "" {
			t.Errorf("%s lists (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestSameRequests: the calls by hand send what dynamostore sends, except for the names
// of placeholders.
func TestSameRequests(t *testing.T) {
	sent := make(map[string][]map[string]any)
	all := contenders(func(operation string, body []byte) {
		sent[operation] = append(sent[operation], withoutPlaceholders(t, body))
	})
	for _, c := range all[:2] { // guregu/dynamo writes some conditions in another way
		for _, op := range cannedCalls {
			if err := op.call(c, t.Context()); err != nil {
				t.Fatalf("%s: %v", c.name, err)
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

// withoutPlaceholders replaces the placeholders of a request by their names and values.
func withoutPlaceholders(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var request map[string]any
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&request); err != nil {
		t.Fatal(err)
	}
	stands := make(map[string]string)
	for _, member := range []string{"ExpressionAttributeNames", "ExpressionAttributeValues"} {
		for name, value := range request[member].(map[string]any) {
			stands[name] = fmt.Sprint(value)
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

// TestCannedAllocations limits dynamostore to 1.05 times the allocations of the calls by
// hand, and to fewer than those of guregu/dynamo.
func TestCannedAllocations(t *testing.T) {
	for _, op := range cannedCalls {
		allocations := make(map[string]float64)
		for _, c := range contenders(nil) {
			allocations[c.name] = testing.AllocsPerRun(100, func() {
				if err := op.call(c, t.Context()); err != nil {
					t.Fatal(err)
				}
			})
		}
		t.Logf("%s: %v", op.name, allocations)
		if ours := allocations["dynamostore"]; ours > 1.05*allocations["sdk"] || ours >= allocations["guregu"] {
			t.Errorf("%s: %v allocations: dynamostore makes too many", op.name, allocations)
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

// BenchmarkDynamoDBLocal measures calls on a table.
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

// TestSameJourney: without concurrency and faults, both implementations give a token to
// the user who registered it last.
func TestSameJourney(t *testing.T) {
	type seen struct {
		Moved   []bool
		Devices [2][]tokens.DeviceID // by user
	}
	want := seen{Moved: []bool{false, false, true}, Devices: [2][]tokens.DeviceID{{deviceID(1)}, {deviceID(0)}}}
	for _, name := range onTable {
		s := newTable(t, name, nil)
		var got seen
		for _, r := range []tokens.Request{request(0, 0, 0), request(0, 1, 1), request(1, 0, 0)} {
			result, err := s.Register(t.Context(), r)
			if err != nil || result.Outcome != store.Created {
				t.Fatalf("%s: outcome %q, error %v", name, result.Outcome, err)
			}
			got.Moved = append(got.Moved, result.Moved())
		}
		for user := range got.Devices {
			regs, err := s.List(t.Context(), userID(user))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, r := range regs {
				got.Devices[user] = append(got.Devices[user], r.Key.DeviceID)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
