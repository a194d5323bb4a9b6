package interleave

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// The errors of DynamoDB in its wire format.
const (
	errorPrefix  = "com.amazonaws.dynamodb.v20120810#"
	typeConflict = errorPrefix + "TransactionConflictException"
	typeCanceled = errorPrefix + "TransactionCanceledException"
	typeInvalid  = "com.amazon.coral.validate#ValidationException"
)

// DynamoDB Local has no such conflicts: it does one thing at a time.

// conflict answers a write as DynamoDB does while a transaction is under way on
// one of its items, which chance picks. What the others are like is not said.
func conflict(m message, chance int) *http.Response {
	if m.call == "UpdateItem" {
		return refusal(map[string]any{"__type": typeConflict, "message": "Transaction is ongoing for the item"})
	}
	reasons := make([]map[string]any, bytes.Count(m.body, []byte(`"TableName"`)))
	for i := range reasons {
		reasons[i] = map[string]any{"Code": "None"}
	}
	reasons[chance%len(reasons)]["Code"] = "TransactionConflict"
	return refusal(map[string]any{"__type": typeCanceled, "Message": "Transaction cancelled", "CancellationReasons": reasons})
}

// obscure replaces one reason of a transaction that was refused by a conflict,
// which says nothing of its item. Any other answer stays as it is.
func obscure(resp *http.Response, chance int) (*http.Response, error) {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var answer struct {
		Type    string `json:"__type"`
		Message string
		Reasons []map[string]any `json:"CancellationReasons"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("answer of DynamoDB Local: %w", err)
	}
	if answer.Type != typeCanceled || len(answer.Reasons) == 0 {
		return resp, nil
	}
	answer.Reasons[chance%len(answer.Reasons)] = map[string]any{"Code": "TransactionConflict"}
	return refusal(map[string]any{"__type": typeCanceled, "Message": answer.Message, "CancellationReasons": answer.Reasons}), nil
}

func refusal(answer map[string]any) *http.Response {
	body, err := json.Marshal(answer)
	if err != nil {
		panic(err) // strings, and what was decoded from JSON
	}
	return &http.Response{
		StatusCode: http.StatusBadRequest,
		Header:     http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body:       io.NopCloser(bytes.NewReader(body)),
	}
}

// namesAnItemTwice reports whether the message is a transaction that DynamoDB
// refuses for that. DynamoDB Local misses it where two deletes name an item.
func (m message) namesAnItemTwice() bool {
	if m.call != "TransactWriteItems" {
		return false
	}
	type target struct{ Key, Item map[string]any }
	var in struct{ TransactItems []map[string]target }
	if err := json.Unmarshal(m.body, &in); err != nil {
		return true
	}
	seen := make(map[string]bool)
	for _, action := range in.TransactItems {
		for _, on := range action {
			key := on.Key
			if key == nil {
				key = on.Item
			}
			name := fmt.Sprint(key["userId"], key["deviceId"])
			if seen[name] {
				return true
			}
			seen[name] = true
		}
	}
	return false
}
