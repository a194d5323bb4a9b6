package dynamostore_test

import (
	"testing"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
)

// TestActions holds the IAM actions that all paths through all methods need to
// just those that are documented, the items of transactions included.
func TestActions(t *testing.T) {
	var recorder dynamotest.Recorder
	client := dynamotest.Client(t, nil)
	table := dynamotest.Table(t, client)
	operations := make(map[dynamostore.Operation]bool)
	for _, p := range paths() {
		w := worldOn(t, client, table, store.Policy{MaxDevices: p.maxDevices})
		p.given(w)
		s := w.through(&recorder, func(e dynamostore.Event) { operations[e.Operation] = true })
		if err := p.call(t.Context(), w, s); err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		w.look()
		w.clear()
	}
	equal(t, "actions", dynamotest.StoreActions, recorder.Actions())
	equal(t, "methods that were called", 8, len(operations))
	for _, c := range recorder.Calls() {
		equal(t, "tables", []string{table}, c.Tables)
		equal(t, "index", "", c.Index)
	}
}

func TestActionsOfCreateTable(t *testing.T) {
	var recorder dynamotest.Recorder
	dynamotest.Table(t, dynamotest.Client(t, &recorder))
	equal(t, "actions", dynamotest.TableActions, recorder.Actions())
}
