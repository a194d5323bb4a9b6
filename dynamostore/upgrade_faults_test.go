package dynamostore_test

import (
	"fmt"
	"testing"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
)

// TestUpgradeFaults injects every fault at every call of an upgrade that has a
// row to mend and a double to remove. After each the invariants hold, and an
// upgrade that is run again ends as the first one would have.
func TestUpgradeFaults(t *testing.T) {
	client := dynamotest.Client(t, nil)
	w := worldOn(t, client, dynamotest.Table(t, client), store.Policy{})
	opts := dynamostore.UpgradeOptions{Policy: w.policy}
	given := func() {
		w.put(legacyRow(alice, tokenA))
		w.put(legacyRow(bob, respelt))
		w.put(legacyRow(tablet, tokenB))
	}
	given()
	var recorder dynamotest.Recorder
	c := dynamotest.Client(t, &recorder, dynamotest.NoRetries)
	if _, err := dynamostore.Upgrade(t.Context(), c, w.table, opts); err != nil {
		t.Fatal(err)
	}
	injected, failed := 0, 0
	calls := recorder.Calls()
	for at, call := range calls {
		for _, fault := range dynamotest.Faults(client) {
			if !fault.Befalls(call.Operation) {
				continue
			}
			t.Run(fmt.Sprintf("call %d, %s", at+1, fault.Name), func(t *testing.T) {
				w := worldOn(t, client, w.table, store.Policy{})
				w.look()
				w.clear()
				given()
				inject := &dynamotest.Inject{At: at, Fault: fault}
				c := dynamotest.Client(t, inject, dynamotest.NoRetries)
				report, err := dynamostore.Upgrade(t.Context(), c, w.table, opts)
				w.look()
				w.intact()
				injected++
				if (err == nil) != (fault.RepeatedBy == dynamotest.TheStore) {
					t.Errorf("the error is %v", err)
				}
				if err != nil {
					failed++
					tryAgain(t, err)
					opts := opts
					opts.Resume = report.Cursor
					if _, err := dynamostore.Upgrade(t.Context(), client, w.table, opts); err != nil {
						t.Fatal(err)
					}
					w.look()
					w.intact()
				}
				equal(t, "rows and claims", 4, len(w.items))
				w.holds(tablet, tokenB)
			})
		}
	}
	t.Logf("%d calls, %d faults injected, %d ended the upgrade with ErrTryAgain, 0 violations unless the test failed", len(calls), injected, failed)
}
