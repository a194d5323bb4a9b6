package dynamostore

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/tokens"
)

// TestTemplates binds values by name, and panics if one is missing.
func TestTemplates(t *testing.T) {
	if values := compile(expression.NewBuilder().WithCondition(exists())).bind(); values != nil {
		t.Errorf("an expression without values has %v", values)
	}
	b := expression.NewBuilder().WithCondition(attribute("a").Equal(hole("p")).And(attribute("b").Equal(hole("q"))))
	values := compile(b).bind(arg{"q", stringValue("2")}, arg{"p", stringValue("1")}, arg{"unused", stringValue("3")})
	var got []string
	for _, name := range []string{":0", ":1"} {
		got = append(got, row{item: values}.text(name))
	}
	if diff := cmp.Diff([]string{"1", "2"}, got); diff != "" || len(values) != 2 {
		t.Errorf("%d values (-want +got):\n%s", len(values), diff)
	}
	for what, f := range map[string]func(){
		"a missing value":     func() { compile(b).bind(arg{"p", stringValue("1")}) },
		"an empty expression": func() { compile(expression.NewBuilder()) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", what)
				}
			}()
			f()
		}()
	}
}

// TestExpressions has the text of every expression, as DynamoDB logs it, and names the
// Go code that writes it. TestCosts fails if a request has another one.
func TestExpressions(t *testing.T) {
	const (
		observed = "userId expoPushToken registeredAt updatedAt expiresAt"
		refresh  = "expoPushToken expiresAt claimExpiresAt inactiveReason projectId platform updatedAt isActive registeredAt"
		project  = "expoPushToken expiresAt claimExpiresAt inactiveReason platform updatedAt isActive projectId registeredAt"
	)
	want := []expressionText{
		{"refreshTemplate", "((#0 IN (:0, :1, :2)) AND (#1 > :3)) AND (#2 >= :4)", refresh},
		{"refreshTemplate", "REMOVE #3, #4\nSET #0 = :5, #5 = :6, #6 = :7, #1 = :8, #7 = :9, #8 = if_not_exists(#8, :10)\n", refresh},
		{"refreshTemplateOfProject", "((#0 IN (:0, :1, :2)) AND (#1 > :3)) AND (#2 >= :4)", project},
		{"refreshTemplateOfProject", "REMOVE #3\nSET #0 = :5, #4 = :6, #5 = :7, #1 = :8, #6 = :9, #7 = :10, #8 = if_not_exists(#8, :11)\n", project},
		{"deactivateTemplate", "(attribute_exists (#0)) AND ((attribute_not_exists (#1)) OR (#1 <> :0))", "userId isActive inactiveReason"},
		{"deactivateTemplate", "SET #1 = :1, #2 = :2\n", "userId isActive inactiveReason"},
		{"invalidateAsObserved", "((#0 = :0) AND (#1 = :1)) AND (#2 = :2)", "expoPushToken isActive updatedAt inactiveReason"},
		{"invalidateAsObserved", "SET #1 = :3, #3 = :4\n", "expoPushToken isActive updatedAt inactiveReason"},
		{
			"invalidateAsObserved, a row of the earlier service", "((#0 = :0) AND (attribute_not_exists (#1))) AND (attribute_not_exists (#2))",
			"expoPushToken isActive updatedAt inactiveReason",
		},
		{"invalidateAsObserved, a row of the earlier service", "SET #1 = :1, #3 = :2\n", "expoPushToken isActive updatedAt inactiveReason"},
		{"listTemplate", "#2 = :2", "isActive expiresAt userId"},
		{"listTemplate", "((attribute_not_exists (#0)) OR (#0 <> :0)) AND ((attribute_not_exists (#1)) OR (NOT (#1 <= :1)))", "isActive expiresAt userId"},
		{"userTemplate", "#0 = :0", "userId"},

		{"claim.unchanged, free", "attribute_not_exists (#0)", "userId"},
		{"claim.unchanged, held", "(attribute_exists (#0)) AND (#1 = :0)", "userId version"},
		{"claimRelease.writes", "(attribute_not_exists (#0)) OR ((#1 = :0) AND (#2 = :1))", "userId ownerUserId ownerDeviceId"},
		{"unchanged, no row", "attribute_not_exists (#0)", "userId"},
		{"unchanged, a row", "(attribute_exists (#0)) AND ((((#1 = :0) AND (#2 = :1)) AND (#3 = :2)) AND (#4 = :3))", observed},
		{"unchanged, a row of the earlier service", "(attribute_exists (#0)) AND ((((#1 = :0) AND (#2 = :1)) AND (#3 = :2)) AND (attribute_not_exists (#4)))", observed},
		{"transfer.removePrevious, unknown", "#0 IN (:0, :1, :2)", "expoPushToken"},
		{
			"transfer.removePrevious, unknown and another user's",
			"(#0 IN (:0, :1, :2)) AND (((attribute_not_exists (#1)) OR (#1 <> :3)) AND ((attribute_not_exists (#2)) OR (#2 > :4)))",
			"expoPushToken isActive expiresAt",
		},
		{
			"transfer.removePrevious, known",
			"((attribute_exists (#0)) AND ((((#1 = :0) AND (#2 = :1)) AND (#3 = :2)) AND (#4 = :3))) AND (#5 = :4)", observed + " isActive",
		},
	}
	full := item{attrRegisteredAt: timeValue(time.Unix(1, 0)), attrUpdatedAt: timeValue(time.Unix(1, 0)), attrIsActive: boolValue(false)}
	own := newRow(newItem(full))
	full[attrExpiresAt] = nil
	earlier := newRow(newItem(full))
	k := testTransfer(t, 1, own.item)
	invalidate := func(r row) template {
		t, _ := invalidateAsObserved(r)
		return t
	}

	got := slices.Concat(
		textsOf("refreshTemplate", refreshTemplate), textsOf("refreshTemplateOfProject", refreshTemplateOfProject),
		textsOf("deactivateTemplate", deactivateTemplate),
		textsOf("invalidateAsObserved", invalidate(own)), textsOf("invalidateAsObserved, a row of the earlier service", invalidate(newRow(newItem(item{})))),
		textsOf("listTemplate", listTemplate), textsOf("userTemplate", userTemplate),
		conditionOf("claim.unchanged, free", claim{}.unchanged()), conditionOf("claim.unchanged, held", k.claim.unchanged()),
		conditionOf("claimRelease.writes", ownedOrGone(rowKey)),
		conditionOf("unchanged, no row", unchanged(row{})), conditionOf("unchanged, a row", unchanged(own)),
		conditionOf("unchanged, a row of the earlier service", unchanged(earlier)),
	)
	previous := func(where string, owner tokens.Key) {
		t.Helper()
		k.claim.owner = owner
		w, ok := k.removePrevious()
		if !ok {
			t.Fatalf("%s: nothing is removed", where)
		}
		got = append(got, expressionText{where, *w.item.Delete.ConditionExpression, namesInOrder(w.item.Delete.ExpressionAttributeNames)})
	}
	previous("transfer.removePrevious, unknown", tokens.Key{UserID: rowKey.UserID, DeviceID: "other"})
	previous("transfer.removePrevious, unknown and another user's", tokens.Key{UserID: "other", DeviceID: "other"})
	k.previous, k.previousKnown = own, true
	previous("transfer.removePrevious, known", tokens.Key{UserID: "other", DeviceID: "other"})
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(expressionText{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An expressionText is the text of an expression. names has the attributes #0, #1 and
// so on, and where names the Go code.
type expressionText struct{ where, text, names string }

func textsOf(where string, t template) []expressionText {
	var all []expressionText
	for _, text := range []*string{t.keyCondition, t.condition, t.filter, t.update} {
		if text != nil {
			all = append(all, expressionText{where, *text, namesInOrder(t.names)})
		}
	}
	return all
}

func conditionOf(where string, g guard) []expressionText {
	return textsOf(where, compile(expression.NewBuilder().WithCondition(g.condition)))
}

func namesInOrder(names map[string]string) string {
	var all []string
	for n := range len(names) {
		all = append(all, names[fmt.Sprintf("#%d", n)])
	}
	return strings.Join(all, " ")
}
