package dynamotest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCallIsBilled compares calls, as they are on the wire, with AWS's documentation.
func TestCallIsBilled(t *testing.T) {
	const (
		key     = `"Key":{"userId":{"S":"u"},"deviceId":{"S":"d"}}`
		table   = `{"TableName":"t"}`
		strong  = `{"TableName":"t","ConsistentRead":true}`
		refused = `{"__type":"x#ConditionalCheckFailedException"}`
	)
	items := func(list ...string) string { return `{"TransactItems":[` + strings.Join(list, ",") + `]}` }
	tests := []struct {
		asked, answered, want string // want begins with the operation
		actions               []string
	}{
		{table, `{}`, "UpdateItem 1 W", nil},
		{table, refused, "UpdateItem (refused) 1 W", nil},
		{table, `{}`, "PutItem 1 W", nil},
		{strong, `{}`, "GetItem 1 R", nil},
		{table, `{}`, "GetItem 0.5 R", nil},
		{strong, `{"ConsumedCapacity":{"CapacityUnits":3}}`, "Query 3 R", nil},
		{strong, `{"ConsumedCapacity":{"CapacityUnits":0.5}}`, "Query 1 R", nil},
		{
			items(`{"Put":{"TableName":"t","Item":{"userId":{"S":"#claim#1#x"},"deviceId":{"S":"#"}}}}`, `{"Update":{"TableName":"t",`+key+`}}`, `{"Delete":{"TableName":"t",`+key+`}}`),
			`{"ConsumedCapacity":[{"CapacityUnits":3}]}`, "TransactWriteItems 6 W", []string{"DeleteItem", "PutItem", "UpdateItem"},
		},
		{items(`{"ConditionCheck":{"TableName":"t",` + key + `}}`), `{"__type":"x#TransactionCanceledException"}`, "TransactWriteItems (refused) 2 W", []string{"ConditionCheckItem"}},
		{items(`{"Get":{"TableName":"t",`+key+`}}`, `{"Get":{"TableName":"t",`+key+`}}`), `{}`, "TransactGetItems 4 R", []string{"GetItem"}},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			operation, _, _ := strings.Cut(tt.want, " ")
			got, err := newCall(operation, []byte(tt.asked), []byte(tt.answered))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if tt.actions == nil {
				tt.actions = []string{operation}
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

// TestRecorderRefusesWhatItCannotCount: no call is counted as free.
func TestRecorderRefusesWhatItCannotCount(t *testing.T) {
	for _, answered := range []string{`{}`, `no JSON`} {
		if _, err := newCall("Query", []byte(`{"TableName":"t"}`), []byte(answered)); err == nil {
			t.Errorf("a Query with the answer %s was counted", answered)
		}
	}
}

// TestRecorderPassesBodiesOn unchanged, in both directions.
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
