package dynamotest

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRecorder compares calls, as they are on the wire, with AWS's documentation. The
// Recorder passes both bodies on.
func TestRecorder(t *testing.T) {
	const (
		key    = `"Key":{"userId":{"S":"u"},"deviceId":{"S":"d"}}`
		table  = `{"TableName":"t"}`
		strong = `{"TableName":"t","ConsistentRead":true}`
	)
	items := func(list ...string) string { return `{"TransactItems":[` + strings.Join(list, ",") + `]}` }
	get := `{"Get":{"TableName":"t",` + key + `}}`
	for _, tt := range []struct{ asked, answered, want, actions string }{ // actions: none is that of the call alone
		{table, `{}`, "UpdateItem 1 W", ""},
		{table, `{"__type":"x#ConditionalCheckFailedException"}`, "UpdateItem (refused) 1 W", ""},
		{strong, `{}`, "GetItem 1 R", ""},
		{table, `{}`, "GetItem 0.5 R", ""},
		{strong, `{"ConsumedCapacity":{"CapacityUnits":3}}`, "Query 3 R", ""},
		{strong, `{"ConsumedCapacity":{"CapacityUnits":0.5}}`, "Query 1 R", ""},
		{
			items(`{"Put":{"TableName":"t","Item":{"userId":{"S":"#claim#1#x"},"deviceId":{"S":"#"}}}}`, `{"Update":{"TableName":"t",`+key+`}}`, `{"Delete":{"TableName":"t",`+key+`}}`),
			`{"ConsumedCapacity":[{"CapacityUnits":3}]}`, "TransactWriteItems 6 W", "DeleteItem PutItem UpdateItem",
		},
		{items(`{"ConditionCheck":{"TableName":"t",` + key + `}}`), `{"__type":"x#TransactionCanceledException"}`, "TransactWriteItems (refused) 2 W", "ConditionCheckItem"},
		{items(get, get), `{}`, "TransactGetItems 4 R", "GetItem"},
		{table, `{}`, "Query: error", ""}, // its cost is not known
		{table, `no JSON`, "Query: error", ""},
	} {
		t.Run(tt.want, func(t *testing.T) {
			operation, _, _ := strings.Cut(tt.want, " ")
			operation = strings.TrimSuffix(operation, ":")
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://dynamodb.invalid", strings.NewReader(tt.asked))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
			var asked, answered []byte
			recorder := &Recorder{Next: Transport(func(r *http.Request) (*http.Response, error) {
				asked, err = takeBody(&r.Body)
				return Answer(r, 200, tt.answered), err
			})}
			resp, err := recorder.RoundTrip(r)
			if strings.HasSuffix(tt.want, "error") {
				if err == nil || len(recorder.Calls()) != 0 {
					t.Error("the call was counted")
				}
				return
			}
			if err == nil {
				answered, err = io.ReadAll(resp.Body)
			}
			if err != nil {
				t.Fatal(err)
			}
			call := recorder.Calls()[0]
			if tt.actions == "" {
				tt.actions = operation
			}
			want := []string{tt.asked, tt.answered, tt.want, tt.actions, "t"}
			got := []string{string(asked), string(answered), call.String(), strings.Join(call.Actions, " "), strings.Join(call.Tables, " ")}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if recorder.Reset(); len(recorder.Calls()) != 0 {
				t.Error("calls are left after Reset")
			}
		})
	}
}
