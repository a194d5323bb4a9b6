package dynamostore_test

import (
	"slices"
	"testing"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
)

// wantActions fails unless the calls need just those IAM actions, those of the
// items of transactions included.
func wantActions(t *testing.T, want []string, calls []dynamotest.Call) {
	t.Helper()
	var got []string
	for _, c := range calls {
		got = append(got, c.Actions...)
	}
	slices.Sort(got)
	equal(t, "IAM actions", want, slices.Compact(got))
}

func TestActionsOfCreateTable(t *testing.T) {
	var recorder dynamotest.Recorder
	dynamotest.Table(t, dynamotest.Client(t, &recorder))
	wantActions(t, dynamotest.TableActions, recorder.Calls())
}

// TestActionsOfUpgrade has two older rows with one token, so that one is removed.
func TestActionsOfUpgrade(t *testing.T) {
	w := newWorld(t, store.Policy{})
	w.put(legacyRow(alice, tokenA))
	w.put(legacyRow(bob, respelt))
	var recorder dynamotest.Recorder
	c := dynamotest.Client(t, &recorder)
	if _, err := dynamostore.Upgrade(t.Context(), c, w.table, dynamostore.UpgradeOptions{Policy: w.policy}); err != nil {
		t.Fatal(err)
	}
	wantActions(t, dynamotest.UpgradeActions, recorder.Calls())
	w.look()
	w.intact()
	equal(t, "rows and claims", 2, len(w.items))
}
