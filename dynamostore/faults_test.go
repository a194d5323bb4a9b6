package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
)

// TestFaults injects faults at every call of every path. The invariants hold for every result.
// After a success the write is stored. An error is ErrTryAgain or, if the fault ends the
// context, the context's, and a retry succeeds.
func TestFaults(t *testing.T) {
	faults := dynamotest.Faults(dynamotest.Client(t, nil))
	injected := make(map[string]bool)
	t.Run("paths", func(t *testing.T) {
		for _, p := range paths() {
			all := cases(p, faults)
			for _, c := range all {
				injected[c.fault.Name] = true
			}
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				base := newWorld(t, store.Policy{MaxDevices: p.maxDevices})
				p.given(base)
				base.look()
				for _, c := range all {
					t.Run(c.String(), func(t *testing.T) {
						w := worldOn(t, base.client, base.table, base.policy)
						w.load(*base)
						c.run(w)
						w.load(*base)
					})
				}
			})
		}
	})
	for _, f := range faults {
		if !injected[f.Name] {
			t.Errorf("the fault %q was not injected", f.Name)
		}
	}
}

type faultCase struct {
	path    path
	call    int // from 0
	fault   dynamotest.Fault
	retries bool // the SDK's
}

// cases returns the faults that can occur in the path. The SDK's retries are off in a case
// where a retry may hide what the store does, and on where it may do harm. Each call gets a
// third of the faults that the store cannot tell apart, and all with -long.
func cases(p path, faults []dynamotest.Fault) []faultCase {
	var all []faultCase
	for call, text := range p.calls {
		operation, _, _ := strings.Cut(text, " ")
		for n, f := range faults {
			if !f.Befalls(operation) || f.Alike && !*long && n%3 != call%3 {
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
	return fmt.Sprintf("call %d, %s, retries: %v", c.call+1, c.fault.Name, c.retries)
}

func (c faultCase) run(w *world) {
	inject := &dynamotest.Inject{At: c.call, Fault: c.fault}
	sdk := dynamotest.NoRetries
	if c.retries {
		sdk = dynamotest.Retries
	}
	var event store.Event
	s := w.through(inject, &event, sdk)
	err := c.path.call(dynamotest.WithEnd(w.Context()), s)

	if !inject.Happened() {
		w.Error("the fault did not happen")
	}
	w.check()
	repeated := c.fault.RepeatedBy == dynamotest.TheStore || c.fault.RepeatedBy == dynamotest.TheSDK && c.retries
	switch last := c.call == len(c.path.calls)-1; {
	case err == nil && (repeated || c.fault.Ends && last):
		c.path.then(w)
		return
	case err == nil || repeated:
		w.Errorf("the error is %v", err)
	case !c.fault.Ends:
		tryAgain(w, err)
	case !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrTryAgain) == reads(event.Operation) || errors.Is(err, store.ErrMisconfigured):
		w.Errorf("the error is %v", err)
	default:
		discreet(w, err)
	}
	if event.Err != err {
		w.Errorf("the event has the error %v", event.Err)
	}
	if err := c.path.call(w.Context(), w.clean); err != nil {
		w.Errorf("repeated: %v", err)
	}
	w.check()
	c.path.then(w)
}

// TestUpgradeFaults injects every fault at every call of an upgrade that adds claims
// and removes a duplicate. After each the invariants hold, and an upgrade that
// resumes completes the work. The calls need exactly the documented IAM actions.
func TestUpgradeFaults(t *testing.T) {
	w := newWorld(t, store.Policy{})
	w.put(legacyRow(alice, tokenA), legacyRow(bob, respelt), legacyRow(tablet, tokenB))
	w.look()
	given := *w
	opts := dynamostore.UpgradeOptions{Policy: w.policy, Segments: 1} // so that the calls have an order
	var recorder dynamotest.Recorder
	_, err := dynamostore.Upgrade(t.Context(), dynamotest.Client(t, &recorder, dynamotest.NoRetries), w.table, opts)
	w.do(err)
	wantActions(t, []string{"DeleteItem", "GetItem", "PutItem", "Scan", "UpdateItem"}, recorder.Calls())
	w.check()
	for at, call := range recorder.Calls() {
		for _, fault := range dynamotest.Faults(w.client) {
			if !fault.Befalls(call.Operation) {
				continue
			}
			t.Run(fmt.Sprintf("call %d, %s", at+1, fault.Name), func(t *testing.T) {
				w.load(given)
				c := dynamotest.Client(t, &dynamotest.Inject{At: at, Fault: fault}, dynamotest.NoRetries)
				report, err := dynamostore.Upgrade(dynamotest.WithEnd(t.Context()), c, w.table, opts)
				w.check()
				switch last := at == len(recorder.Calls())-1; {
				case err == nil && (fault.RepeatedBy == dynamotest.TheStore || fault.Ends && last):
				case err == nil || fault.RepeatedBy == dynamotest.TheStore:
					t.Errorf("the error is %v", err)
				case fault.Ends && !errors.Is(err, context.Canceled):
					t.Errorf("the error is %v, want the context's", err)
				default:
					if !fault.Ends {
						tryAgain(t, err)
					}
					w.upgrade(dynamostore.UpgradeOptions{Segments: 1, Resume: report.Cursor})
					w.check()
				}
				equal(t, "rows and claims", 4, len(w.items))
				w.holds(tablet, tokenB)
			})
		}
	}
}
