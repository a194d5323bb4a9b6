package dynamostore_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
)

// TestCosts counts what each path sends and what AWS bills for it, and that the
// observer is told what DynamoDB reported. Over all paths, it holds the operations
// that they call and the IAM actions that they need to just those that are
// documented.
func TestCosts(t *testing.T) {
	sent := make([][]dynamotest.Call, len(paths()))
	t.Run("paths", func(t *testing.T) {
		for n, p := range paths() {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				sent[n] = countPath(t, p)
			})
		}
	})
	calls := slices.Concat(sent...)
	wantActions(t, dynamotest.StoreActions, calls)
	var operations []string
	for _, c := range calls {
		operations = append(operations, c.Operation)
	}
	slices.Sort(operations)
	equal(t, "operations", dynamotest.StoreOperations, slices.Compact(operations))
}

// countPath compares what a path sends with what it should, and returns it.
func countPath(t *testing.T, p path) []dynamotest.Call {
	w := newWorld(t, store.Policy{MaxDevices: p.maxDevices})
	p.given(w)
	var (
		recorder dynamotest.Recorder
		event    dynamostore.Event
	)
	s := w.through(&recorder, func(e dynamostore.Event) { event = e }, dynamotest.NoRetries)
	if err := p.call(t.Context(), w, s); err != nil {
		t.Fatal(err)
	}
	w.look()
	w.intact()
	p.then(w)

	var (
		got           []string
		attempts      int
		reads, writes float64
	)
	for _, c := range recorder.Calls() {
		got = append(got, c.String())
		switch c.Operation {
		case "UpdateItem", "TransactWriteItems":
			attempts++
			writes += c.Reported
		default:
			reads += c.Reported
		}
		equal(t, "tables and index", []string{w.table, ""}, append(c.Tables, c.Index))
	}
	equal(t, "calls", p.calls, got)
	equal(t, "Event.Calls", len(got), event.Calls)
	equal(t, "Event.Attempts", attempts, event.Attempts)
	equal(t, "Event.WriteUnits", writes, event.WriteUnits)
	equal(t, "Event.ReadUnits", reads, event.ReadUnits)
	if event.Duration <= 0 {
		t.Errorf("Event.Duration is %v", event.Duration)
	}
	if op, _, _ := strings.Cut(p.name, ","); !strings.EqualFold(strings.ReplaceAll(string(event.Operation), "_", ""), op) {
		t.Errorf("Event.Operation is %q", event.Operation)
	}
	return recorder.Calls()
}
