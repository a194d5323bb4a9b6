package interleave

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// A gate is the transport of all servers of a schedule. Each request stops in
// front of it until the schedule says what becomes of it, so that one thing
// happens at a time, in an order that the seed decides. An operation that waits
// between two tries just comes to the gate later: since nothing else goes on
// meanwhile, real time decides nothing.
type gate struct {
	next http.RoundTripper
	// arrived gets the operation that was let through when it is at the gate
	// again, or done.
	arrived chan *operation
}

// A fate is what becomes of a request.
type fate string

const (
	delivered   fate = "delivered"
	requestLost fate = "request lost"        // not applied; the client sees an error
	answerLost  fate = "answer lost"         // applied; the client sees an error
	sentTwice   fate = "sent twice"          // applied, the answer lost, and sent again, as the SDK's retries do
	late        fate = "to be applied late"  // the client sees an error, and it is applied at any time after that
	conflicting fate = "in conflict"         // with another transaction: not applied
	obscured    fate = "perhaps in conflict" // if it is refused anyway, with another transaction too
)

var errLost = errors.New("connection reset by the gate")

type operationKey struct{}

func (g *gate) RoundTrip(req *http.Request) (*http.Response, error) {
	op := req.Context().Value(operationKey{}).(*operation)
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	_, call, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	m := message{op: op, call: call, header: req.Header, url: req.URL.String(), body: body}

	op.calls++
	if m.namesAnItemTwice() {
		return refusal(map[string]any{"__type": typeInvalid, "message": "an item is named twice"}), nil
	}
	switch g.wait(op, call) {
	case requestLost:
		return nil, errLost
	case late:
		op.late = &m
		return nil, errLost
	case answerLost:
		if _, err := g.send(m); err != nil {
			return nil, err
		}
		return nil, errLost
	case sentTwice:
		if _, err := g.send(m); err != nil {
			return nil, err
		}
		g.wait(op, call) // this one is delivered in any case
	case conflicting:
		return conflict(m, op.chance), nil
	case obscured:
		resp, err := g.send(m)
		if err != nil {
			return nil, err
		}
		return obscure(resp, op.chance)
	}
	return g.send(m)
}

// wait stops the operation until the schedule lets its next request through.
func (g *gate) wait(op *operation, call string) fate {
	op.call = call
	g.arrived <- op
	return <-op.turn
}

// A message is a request that can be sent at any time, and again.
type message struct {
	op        *operation
	call, url string
	header    http.Header
	body      []byte
}

// send returns a whole answer: the engine is done with the request by then.
func (g *gate) send(m message) (*http.Response, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, m.url, bytes.NewReader(m.body))
	if err != nil {
		return nil, err
	}
	req.Header = m.header
	resp, err := g.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	if resp.StatusCode == http.StatusOK && isWrite(m.call) {
		m.op.applied = true
	}
	return resp, nil
}

func isWrite(call string) bool { return call == "UpdateItem" || call == "TransactWriteItems" }

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
