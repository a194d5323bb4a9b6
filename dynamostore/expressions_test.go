package dynamostore

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func TestTemplatesPanic(t *testing.T) {
	for what, f := range map[string]func(){
		"a missing value":     func() { userTemplate.bind(arg{paramNow, stringValue("1")}) },
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
// Go code that writes it. TestCosts fails if a request has another one. names has the
// attributes #0, #1 and so on.
func TestExpressions(t *testing.T) {
	times := item{attrRegisteredAt: timeValue(time.Unix(1, 0)), attrUpdatedAt: timeValue(time.Unix(1, 0)), attrIsActive: boolValue(false)}
	own := newRow(newItem(times))
	times[attrExpiresAt] = nil
	earlier := newRow(newItem(times))

	of := func(g guard) template { return compile(expression.NewBuilder().WithCondition(g.condition)) }
	invalidate := func(r row) template {
		t, _ := invalidateAsObserved(r)
		return t
	}
	previous := func(user tokens.UserID, known bool) template {
		k := newTransfer((&Store{}).beginWrite(store.OpRegister), tokens.Request{Key: rowKey, Token: own.reg.Token}, time.Unix(1000, 0), own)
		k.claim.owner = tokens.Key{UserID: user, DeviceID: "other"}
		k.previous, k.previousKnown = own, known
		w, ok := k.removePrevious()
		if !ok {
			t.Fatal("nothing is removed")
		}
		return template{condition: w.item.Delete.ConditionExpression, names: w.item.Delete.ExpressionAttributeNames}
	}
	const (
		observed = "userId expoPushToken registeredAt updatedAt expiresAt"
		invalid  = "expoPushToken isActive updatedAt inactiveReason"
	)
	for _, tt := range []struct {
		where string
		t     template
		names string
		texts []string // key condition, condition, filter, update
	}{
		{"refreshTemplate", refreshTemplate, "expoPushToken expiresAt claimExpiresAt inactiveReason projectId platform updatedAt isActive registeredAt", []string{
			"((#0 IN (:0, :1, :2)) AND (#1 > :3)) AND (#2 >= :4)",
			"REMOVE #3, #4\nSET #0 = :5, #5 = :6, #6 = :7, #1 = :8, #7 = :9, #8 = if_not_exists(#8, :10)\n",
		}},
		{"refreshTemplateOfProject", refreshTemplateOfProject, "expoPushToken expiresAt claimExpiresAt inactiveReason platform updatedAt isActive projectId registeredAt", []string{
			"((#0 IN (:0, :1, :2)) AND (#1 > :3)) AND (#2 >= :4)",
			"REMOVE #3\nSET #0 = :5, #4 = :6, #5 = :7, #1 = :8, #6 = :9, #7 = :10, #8 = if_not_exists(#8, :11)\n",
		}},
		{"deactivateTemplate", deactivateTemplate, "userId isActive inactiveReason", []string{
			"(attribute_exists (#0)) AND ((attribute_not_exists (#1)) OR (#1 <> :0))", "SET #1 = :1, #2 = :2\n",
		}},
		{"invalidateAsObserved", invalidate(own), invalid, []string{"((#0 = :0) AND (#1 = :1)) AND (#2 = :2)", "SET #1 = :3, #3 = :4\n"}},
		{"invalidateAsObserved, a row of the earlier service", invalidate(newRow(newItem(nil))), invalid, []string{
			"((#0 = :0) AND (attribute_not_exists (#1))) AND (attribute_not_exists (#2))", "SET #1 = :1, #3 = :2\n",
		}},
		{"listTemplate", listTemplate, "isActive expiresAt userId", []string{
			"#2 = :2", "((attribute_not_exists (#0)) OR (#0 <> :0)) AND ((attribute_not_exists (#1)) OR (NOT (#1 <= :1)))",
		}},
		{"userTemplate", userTemplate, "userId", []string{"#0 = :0"}},

		{"claim.unchanged, free", of(claim{}.unchanged()), "userId", []string{"attribute_not_exists (#0)"}},
		{"claim.unchanged, held", of(claimRecordedBy(own).unchanged()), "userId version", []string{"(attribute_exists (#0)) AND (#1 = :0)"}},
		{"claimRelease.writes", of(ownedOrGone(rowKey)), "userId ownerUserId ownerDeviceId", []string{
			"(attribute_not_exists (#0)) OR ((#1 = :0) AND (#2 = :1))",
		}},
		{"unchanged, no row", of(unchanged(row{})), "userId", []string{"attribute_not_exists (#0)"}},
		{"unchanged, a row", of(unchanged(own)), observed, []string{
			"(attribute_exists (#0)) AND ((((#1 = :0) AND (#2 = :1)) AND (#3 = :2)) AND (#4 = :3))",
		}},
		{"unchanged, a row of the earlier service", of(unchanged(earlier)), observed, []string{
			"(attribute_exists (#0)) AND ((((#1 = :0) AND (#2 = :1)) AND (#3 = :2)) AND (attribute_not_exists (#4)))",
		}},
		{"transfer.removePrevious, unknown", previous(rowKey.UserID, false), "expoPushToken", []string{"#0 IN (:0, :1, :2)"}},
		{"transfer.removePrevious, unknown and another user's", previous("other", false), "expoPushToken isActive expiresAt", []string{
			"(#0 IN (:0, :1, :2)) AND (((attribute_not_exists (#1)) OR (#1 <> :3)) AND ((attribute_not_exists (#2)) OR (#2 > :4)))",
		}},
		{"transfer.removePrevious, known", previous("other", true), observed + " isActive", []string{
			"((attribute_exists (#0)) AND ((((#1 = :0) AND (#2 = :1)) AND (#3 = :2)) AND (#4 = :3))) AND (#5 = :4)",
		}},
	} {
		t.Run(tt.where, func(t *testing.T) {
			var texts, names []string
			for _, text := range []*string{tt.t.keyCondition, tt.t.condition, tt.t.filter, tt.t.update} {
				if text != nil {
					texts = append(texts, *text)
				}
			}
			for n := range len(tt.t.names) {
				names = append(names, tt.t.names[fmt.Sprintf("#%d", n)])
			}
			if diff := cmp.Diff(tt.texts, texts); diff != "" {
				t.Errorf("texts (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.names, strings.Join(names, " ")); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}
