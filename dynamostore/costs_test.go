package dynamostore_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestCosts compares the requests of each path and their units with the path's, and the event
// with the units that DynamoDB reported. Over all paths it compares the operations and the IAM
// actions with the documented ones, and looks for each condition in TestExpressions.
func TestCosts(t *testing.T) {
	dynamotest.Endpoint(t) // skips here without an engine, before the totals are compared
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

	texts := readFile(t, "expressions_test.go")
	for _, c := range calls {
		for _, condition := range c.Conditions {
			if !strings.Contains(texts, strconv.Quote(condition)) {
				t.Errorf("TestExpressions lacks the condition of a %s: %s", c.Operation, condition)
			}
		}
	}
}

func countPath(t *testing.T, p path) []dynamotest.Call {
	w := newWorld(t, store.Policy{MaxDevices: p.maxDevices})
	p.given(w)
	var (
		recorder dynamotest.Recorder
		event    store.Event
	)
	s := w.through(&recorder, &event, dynamotest.NoRetries)
	w.do(p.call(t.Context(), s))
	w.check()
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
	}
	equal(t, "calls", p.calls, got)
	equal(t, "Event.Calls", len(got), event.Calls)
	equal(t, "Event.Attempts", attempts, event.Attempts)
	equal(t, "Event.WriteUnits", writes, event.WriteUnits)
	equal(t, "Event.ReadUnits", reads, event.ReadUnits)
	return recorder.Calls()
}

// wantActions fails unless the calls need exactly those IAM actions.
func wantActions(t *testing.T, want []string, calls []dynamotest.Call) {
	t.Helper()
	var got []string
	for _, c := range calls {
		got = append(got, c.Actions...)
	}
	slices.Sort(got)
	equal(t, "IAM actions", want, slices.Compact(got))
}

// units returns the units of each call of the path, and their sum. The unit is "W" or "R".
func (p path) units(unit string) (each string, sum float64) {
	var all []string
	for _, c := range p.calls {
		if c, ok := strings.CutSuffix(c, " "+unit); ok {
			n := c[strings.LastIndex(c, " ")+1:]
			units, err := strconv.ParseFloat(n, 64)
			if err != nil {
				panic(err)
			}
			all, sum = append(all, n), sum+units
		}
	}
	return cmp.Or(strings.Join(all, " + "), "-"), sum
}

// TestCostsInDocument compares the table of costs with the paths.
func TestCostsInDocument(t *testing.T) {
	for _, p := range paths() {
		writes, _ := p.units("W")
		reads, _ := p.units("R")
		if row := fmt.Sprintf("\n%-58s %-14s %s\n", p.name, writes, reads); !strings.Contains(document(t), row) {
			t.Errorf("the document lacks the row %s", row)
		}
	}
}

// habits has the calls for a device in a month of 30 days. The device is launched three
// times a day, and its user has two devices and gets two messages a day.
var habits = map[string]float64{
	"Register, the same token":                  90 - 30.0/29 - 0.05 - 0.01 - 0.03,
	"Register, the same token, once in 29 days": 30.0 / 29,
	"Register, new":                             0.05,
	"Register, moves to a new device":           0.01,
	"Register, another token":                   0.03,
	"Get":                                       0.3,
	"List":                                      30,
	"Deactivate":                                0.05,
	"Delete":                                    0.005,
	"Invalidate":                                0.03,
	"DeleteUser, three registrations":           0.0025,
	"Holder":                                    0.01,
}

// TestCapacityInDocument compares the units and bytes of a device. If they change,
// recompute the document's table of capacity and costs: it is their product with the
// number of devices and AWS's prices.
func TestCapacityInDocument(t *testing.T) {
	var writes, reads float64
	for _, p := range paths() {
		_, w := p.units("W")
		_, r := p.units("R")
		writes += habits[p.name] * w
		reads += habits[p.name] * r
	}

	w := newWorld(t, store.Policy{})
	k := key("7c9e6679-7425-40de-944b-e07fc1f90ae7", "00000000-1B4E-4C3D-9A5F-6E7D8C9B0A1F")
	_, err := w.clean.Register(t.Context(), tokens.Request{
		Key: k, Token: tokenA, Platform: tokens.Android, ProjectID: "0f9a3b52-6f5e-4b8e-9d0c-2f6f1f1c6d2e",
	})
	w.do(err)
	w.look()
	text := strings.Join(strings.Fields(document(t)), " ")
	for _, want := range []string{
		fmt.Sprintf("a device takes %.1f W and %.1f R", writes, reads),
		fmt.Sprintf("%d bytes in its registration and %d in its claim", dynamotest.ItemSize(w.at(k)), dynamotest.ItemSize(w.claimOf(k))),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the document lacks %q", want)
		}
	}
}

// TestGreatestRegistrationIsOneUnit: the longest registration of ASCII, with the
// longest reason, takes one write unit, and so does its claim. Therefore a refresh
// takes one.
func TestGreatestRegistrationIsOneUnit(t *testing.T) {
	w := newWorld(t, store.Policy{})
	key := key(strings.Repeat("u", 255), strings.Repeat("d", 128))
	token := tokens.MustParseToken("ExponentPushToken[" + strings.Repeat("x", tokens.MaxTokenBytes-len("ExponentPushToken[]")) + "]")
	_, err := w.clean.Register(t.Context(), tokens.Request{Key: key, Token: token, Platform: tokens.Android, ProjectID: tokens.ProjectID(strings.Repeat("p", 64))})
	w.do(err)
	w.do(w.clean.Invalidate(t.Context(), key, token.Hash(), w.now.Add(store.ClockSkew)))
	w.look()
	w.hasStatus(key, tokens.DeviceNotRegistered)
	equal(t, "items", 2, len(w.items))
	for _, i := range w.items {
		if size := dynamotest.ItemSize(i); size > 1024 {
			t.Errorf("an item of %d bytes takes more than one write unit", size)
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func document(t *testing.T) string {
	return readFile(t, "../docs/infra/device-token-access-patterns.md")
}

// TestPolicyInDocument: the document's policy allows what the store calls, and no
// more.
func TestPolicyInDocument(t *testing.T) {
	block := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(document(t))
	if block == nil {
		t.Fatal("there is no policy")
	}
	var policy struct {
		Statement []struct {
			Effect   string
			Action   []string
			Resource string
		}
	}
	if err := json.Unmarshal([]byte(block[1]), &policy); err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, s := range policy.Statement {
		equal(t, "effect", "Allow", s.Effect)
		for _, action := range s.Action {
			name, ok := strings.CutPrefix(action, "dynamodb:")
			if ok && !strings.HasSuffix(s.Resource, "*") {
				actions = append(actions, name)
			} else if !strings.HasPrefix(action, "kms:") {
				t.Errorf("the policy allows %s on %s", action, s.Resource)
			}
		}
	}
	equal(t, "actions on the table", dynamotest.StoreActions, actions)
}

// TestAttributesInDocument: the document has each attribute of table.go.
func TestAttributesInDocument(t *testing.T) {
	names := regexp.MustCompile(`(?m)^\tattr\w+ += "(\w+)"`).FindAllStringSubmatch(readFile(t, "table.go"), -1)
	equal(t, "attributes in table.go", 15, len(names))
	for _, name := range names {
		if !strings.Contains(document(t), "- `"+name[1]+"`:") {
			t.Errorf("the document lacks the attribute %s", name[1])
		}
	}
}
