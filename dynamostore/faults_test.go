package dynamostore_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/store"
)

// TestFaults injects every fault at every call of every path, and then reads the whole
// table. The invariants hold for every result. After a success the write is stored. An
// error is ErrTryAgain, and a retry succeeds.
func TestFaults(t *testing.T) {
	faults := dynamotest.Faults(dynamotest.Client(t, nil))
	befell := make(map[string]bool)
	var injected, returned atomic.Int64
	t.Run("paths", func(t *testing.T) {
		for _, p := range paths() {
			all := cases(p, faults)
			for _, c := range all {
				befell[c.fault.Name] = true
			}
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				if len(all) == 0 {
					t.Fatal("no fault befalls it")
				}
				client := dynamotest.Client(t, nil)
				table := dynamotest.Table(t, client)
				for _, c := range all {
					t.Run(c.String(), func(t *testing.T) {
						w := worldOn(t, client, table, store.Policy{MaxDevices: p.maxDevices})
						injected.Add(1)
						if c.run(w) != nil {
							returned.Add(1)
						}
						w.clear()
					})
				}
			})
		}
	})
	for _, f := range faults {
		if !befell[f.Name] {
			t.Errorf("the fault %q befalls no path", f.Name)
		}
	}
	t.Logf("%d faults: %d absorbed by retries, %d returned to the caller", injected.Load(), injected.Load()-returned.Load(), returned.Load())
}

// A faultCase is one fault at one call of one path.
type faultCase struct {
	path    path
	call    int // from 0
	fault   dynamotest.Fault
	retries bool // the SDK's
}

// cases returns those of the path: with the SDK's retries off where a retry may
// hide what the store does, on where it may do harm.
func cases(p path, faults []dynamotest.Fault) []faultCase {
	var all []faultCase
	for call, text := range p.calls {
		operation, _, _ := strings.Cut(text, " ")
		for _, f := range faults {
			if !f.Befalls(operation) {
				continue
			}
			if f.RepeatedBy != 0 {
				all = append(all, faultCase{p, call, f, false})
			}
			if f.RepeatedBy != dynamotest.TheStore {
				all = append(all, faultCase{p, call, f, true})
			}
		}
	}
	return all
}

func (c faultCase) String() string {
	retries := "no retries"
	if c.retries {
		retries = "retries"
	}
	return fmt.Sprintf("call %d, %s, %s", c.call+1, c.fault.Name, retries)
}

// run injects the fault, and returns what the call returned.
func (c faultCase) run(w *world) error {
	c.path.given(w)
	inject := &dynamotest.Inject{At: c.call, Fault: c.fault}
	sdk := dynamotest.NoRetries
	if c.retries {
		sdk = dynamotest.Retries
	}
	var event store.Event
	s := w.through(inject, func(e store.Event) { event = e }, func(o *dynamodb.Options) { sdk(o) })
	err := c.path.call(w.Context(), w, s)

	if !inject.Happened() {
		w.Error("the fault did not happen")
	}
	w.look()
	w.intact()
	if err == nil {
		c.path.then(w)
	} else {
		tryAgain(w, err)
	}
	if err != nil && event.Err != err {
		w.Errorf("the observer was told %v", event.Err)
	}
	repeated := c.fault.RepeatedBy == dynamotest.TheStore || c.fault.RepeatedBy == dynamotest.TheSDK && c.retries
	if repeated != (err == nil) {
		w.Errorf("the error is %v", err)
	}

	if err := c.path.call(w.Context(), w, w.clean); err != nil {
		w.Errorf("repeated: %v", err)
	}
	w.look()
	w.intact()
	c.path.then(w)
	return err
}

// tryAgain fails unless the error says to try again, has its cause for programs,
// and contains no user id.
func tryAgain(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrTryAgain) {
		t.Fatalf("the error is %v, want ErrTryAgain", err)
	}
	var call *dynamostore.CallError
	if !errors.As(err, &call) {
		t.Errorf("the error %v has no CallError", err)
	}
	discreet(t, err)
}

// discreet fails if the error, printed with any verb, has a key or a token of
// the tests, or if its text has what the answers of the fake DynamoDB say.
func discreet(t testing.TB, err error) {
	t.Helper()
	if what := newTrace().Find(leak.Printed(err)); what != "" {
		t.Errorf("the error shows %s", what)
	}
	for _, said := range []string{string(bob.UserID), "not now"} {
		if strings.Contains(err.Error(), said) {
			t.Errorf("the text of the error %q has %q", err, said)
		}
	}
}

// TestUpgradeFaults injects every fault at every call of an upgrade that has a
// row to mend and a double to remove. After each the invariants hold, and an
// upgrade that is run again ends as the first one would have.
func TestUpgradeFaults(t *testing.T) {
	client := dynamotest.Client(t, nil)
	w := worldOn(t, client, dynamotest.Table(t, client), store.Policy{})
	opts := dynamostore.UpgradeOptions{Policy: w.policy, Segments: 1} // so that the calls have an order
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
