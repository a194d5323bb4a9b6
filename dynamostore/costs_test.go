package dynamostore_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestCosts counts what each path sends and what AWS bills for it, and compares
// the events with what DynamoDB reported. Over all paths it compares the
// operations and the IAM actions with the documented ones, and looks for each
// condition in TestExpressions.
func TestCosts(t *testing.T) {
	dynamotest.Endpoint(t) // skips here without an engine, so that the totals below are not of nothing
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

	texts, err := os.ReadFile("expressions_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		for _, condition := range c.Conditions {
			if !strings.Contains(string(texts), strconv.Quote(condition)) {
				t.Errorf("TestExpressions does not say where the condition of a %s is written: %s", c.Operation, condition)
			}
		}
	}
}

// countPath compares what a path sends with what it should, and returns it.
func countPath(t *testing.T, p path) []dynamotest.Call {
	w := newWorld(t, store.Policy{MaxDevices: p.maxDevices})
	p.given(w)
	var (
		recorder dynamotest.Recorder
		event    store.Event
	)
	s := w.through(&recorder, func(e store.Event) { event = e }, dynamotest.NoRetries)
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

// totals adds up the units of calls, as "1 + 4".
func totals(calls []string) (writes, reads string) {
	var w, r []string
	for _, c := range calls {
		fields := strings.Fields(c)
		units := fields[len(fields)-2]
		if fields[len(fields)-1] == "W" {
			w = append(w, units)
		} else {
			r = append(r, units)
		}
	}
	return strings.Join(w, " + "), strings.Join(r, " + ")
}

// TestGreatestRegistrationIsOneUnit registers the longest that ASCII allows, and
// marks it with the longest reason: each item that is stored takes one write unit,
// so that a refresh does.
func TestGreatestRegistrationIsOneUnit(t *testing.T) {
	w := newWorld(t, store.Policy{})
	key := tokens.Key{
		UserID:   tokens.UserID(strings.Repeat("u", 255)),
		DeviceID: tokens.DeviceID(strings.Repeat("d", 128)),
	}
	token := tokens.MustParseToken("ExponentPushToken[" + strings.Repeat("x", tokens.MaxTokenBytes-len("ExponentPushToken[]")) + "]")
	req := tokens.Request{Key: key, Token: token, Platform: tokens.Android, ProjectID: tokens.ProjectID(strings.Repeat("p", 64))}
	if _, err := w.clean.Register(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	w.do(w.clean.Invalidate(t.Context(), key, token.Hash(), w.now.Add(store.ClockSkew)))
	w.look()
	w.hasStatus(key, tokens.DeviceNotRegistered)
	equal(t, "items", 2, len(w.items))
	for _, i := range w.items {
		size := dynamotest.ItemSize(i)
		t.Logf("%.9s: %d bytes", text(i, "userId"), size)
		if size > 1024 {
			t.Errorf("an item of %d bytes takes more than one write unit", size)
		}
	}
}

// TestQueryUnits compares the units that DynamoDB Local reports for a List, from
// which the costs are counted, with the size of the stored data.
func TestQueryUnits(t *testing.T) {
	w := newWorld(t, store.Policy{MaxDevices: 100})
	for n := range 60 {
		w.register(
			tokens.Key{UserID: "alice", DeviceID: tokens.DeviceID(fmt.Sprintf("device-%02d", n))},
			tokens.MustParseToken(fmt.Sprintf("ExponentPushToken[%022d]", n)))
	}
	w.look()
	var bytes int
	for _, i := range w.items {
		if text(i, "userId") == "alice" {
			bytes += dynamotest.ItemSize(i)
		}
	}
	var recorder dynamotest.Recorder
	if _, err := w.through(&recorder, nil).List(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	equal(t, "calls", []string{fmt.Sprintf("Query %d R", (bytes+4095)/4096)}, []string{recorder.Calls()[0].String()})
	t.Logf("%d registrations, %d bytes: %v", 60, bytes, recorder.Calls()[0])
}

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
