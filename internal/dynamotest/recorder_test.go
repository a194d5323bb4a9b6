package dynamotest

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRecorder has calls that the store does not make. No call is counted as free, and the
// answer is passed on.
func TestRecorder(t *testing.T) {
	const (
		item     = `{"TableName":"t","Key":{"userId":{"S":"u"},"deviceId":{"S":"d"}}}`
		strong   = `{"TableName":"t","ConsistentRead":true}`
		canceled = `{"__type":"x#TransactionCanceledException"}`
	)
	for _, tt := range []struct{ operation, asked, answered, want, action string }{ // want "": an error
		{"PutItem", item, `{}`, "PutItem 1 W", "PutItem"},
		{"GetItem", item, `{}`, "GetItem 0.5 R", "GetItem"},
		{"Query", strong, `{"ConsumedCapacity":{"CapacityUnits":3}}`, "Query 3 R", "Query"},
		{"Query", strong, `{"ConsumedCapacity":{"CapacityUnits":0.5}}`, "Query 1 R", "Query"},
		{"Query", strong, `{}`, "", ""},
		{"Query", strong, `no JSON`, "", ""},
		{"TransactWriteItems", `{"TransactItems":[{"ConditionCheck":` + item + `}]}`, canceled, "TransactWriteItems (refused) 2 W", "ConditionCheckItem"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://dynamodb.invalid", strings.NewReader(tt.asked))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+tt.operation)
		recorder := &Recorder{Next: Script(func(r *http.Request) *http.Response { return Answer(r, 200, tt.answered) })}
		resp, err := recorder.RoundTrip(r)
		if err != nil {
			if tt.want != "" || len(recorder.Calls()) != 0 {
				t.Errorf("%s: %v", tt.operation, err)
			}
			continue
		}
		answered, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		call := recorder.Calls()[0]
		got := []string{call.String(), strings.Join(call.Actions, " "), string(answered)}
		if diff := cmp.Diff([]string{tt.want, tt.action, tt.answered}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
