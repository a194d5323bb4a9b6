package dynamotest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCallIsBilled compares calls, as they are on the wire, with what AWS bills by
// its documentation.
func TestCallIsBilled(t *testing.T) {
	large := fmt.Sprintf(`{"userId":{"S":"u"},"deviceId":{"S":"d"},"x":{"S":%q}}`, strings.Repeat("x", 5000))
	const key = `"Key":{"userId":{"S":"u"},"deviceId":{"S":"d"}}`
	tests := []struct {
		name, operation, asked, answered, want string
		actions                                []string
	}{
		{"write", "UpdateItem", `{"TableName":"t",` + key + `}`, `{}`, "UpdateItem 1 W", []string{"UpdateItem"}},
		{"large write", "UpdateItem", `{"TableName":"t"}`, `{"Attributes":` + large + `}`, "UpdateItem 5 W", []string{"UpdateItem"}},
		{"refused write", "UpdateItem", `{"TableName":"t"}`, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}`, "UpdateItem (refused) 1 W", []string{"UpdateItem"}},
		{"refused write on a large item", "UpdateItem", `{"TableName":"t"}`, `{"__type":"x#ConditionalCheckFailedException","Item":` + large + `}`, "UpdateItem (refused) 5 W", []string{"UpdateItem"}},
		{"put", "PutItem", `{"TableName":"t","Item":` + large + `}`, `{}`, "PutItem 5 W", []string{"PutItem"}},
		{"consistent read", "GetItem", `{"TableName":"t","ConsistentRead":true}`, `{}`, "GetItem 1 R", []string{"GetItem"}},
		{"eventually consistent read", "GetItem", `{"TableName":"t"}`, `{}`, "GetItem 0.5 R", []string{"GetItem"}},
		{"large read", "GetItem", `{"TableName":"t","ConsistentRead":true}`, `{"Item":` + large + `}`, "GetItem 2 R", []string{"GetItem"}},
		{"query", "Query", `{"TableName":"t","ConsistentRead":true}`, `{"ConsumedCapacity":{"CapacityUnits":3}}`, "Query 3 R", []string{"Query"}},
		{"query that finds nothing", "Query", `{"TableName":"t","ConsistentRead":true}`, `{"ConsumedCapacity":{"CapacityUnits":0.5}}`, "Query 1 R", []string{"Query"}},
		{
			"transaction", "TransactWriteItems",
			`{"TransactItems":[{"Put":{"TableName":"t","Item":{"userId":{"S":"#claim#1#x"},"deviceId":{"S":"#"}}}},{"Update":{"TableName":"t",` + key + `}},{"Delete":{"TableName":"t",` + key + `}}]}`,
			`{"ConsumedCapacity":[{"CapacityUnits":3}]}`, "TransactWriteItems 6 W", []string{"DeleteItem", "PutItem", "UpdateItem"},
		},
		{
			"condition in a transaction", "TransactWriteItems",
			`{"TransactItems":[{"ConditionCheck":{"TableName":"t",` + key + `}}]}`,
			`{"__type":"x#TransactionCanceledException"}`, "TransactWriteItems (refused) 2 W", []string{"ConditionCheckItem"},
		},
		{
			"large item in a transaction", "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"t","Item":` + large + `}}]}`,
			`{}`, "TransactWriteItems 10 W", []string{"PutItem"},
		},
		{
			"transactional read", "TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"t",` + key + `}},{"Get":{"TableName":"t",` + key + `}}]}`,
			`{"Responses":[{"Item":` + large + `},{}]}`, "TransactGetItems 6 R", []string{"GetItem"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := newCall(tt.operation, []byte(tt.asked), []byte(tt.answered))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.actions, got.Actions); diff != "" {
				t.Errorf("actions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"t"}, got.Tables); diff != "" {
				t.Errorf("tables (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRecorderRefusesWhatItCannotCount, so that nothing is counted as free.
func TestRecorderRefusesWhatItCannotCount(t *testing.T) {
	for _, answered := range []string{`{}`, `no JSON`} {
		if _, err := newCall("Query", []byte(`{"TableName":"t"}`), []byte(answered)); err == nil {
			t.Errorf("a Query with the answer %s was counted", answered)
		}
	}
}

// TestRecorderPassesBodiesOn, both ways, as they were.
func TestRecorderPassesBodiesOn(t *testing.T) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://dynamodb.invalid", strings.NewReader(`{"TableName":"t"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
	recorder := &Recorder{Next: Transport(func(r *http.Request) (*http.Response, error) {
		asked, err := takeBody(&r.Body)
		if string(asked) != `{"TableName":"t"}` {
			t.Errorf("the request is %s", asked)
		}
		return Answer(r, 200, `{"Item":{}}`), err
	})}
	resp, err := recorder.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	answered, err := takeBody(&resp.Body)
	if err != nil || string(answered) != `{"Item":{}}` {
		t.Errorf("the answer is %s, %v", answered, err)
	}
	if len(recorder.Calls()) != 1 {
		t.Errorf("%d calls were recorded", len(recorder.Calls()))
	}
	recorder.Reset()
	if len(recorder.Calls()) != 0 {
		t.Error("calls are left after Reset")
	}
}
