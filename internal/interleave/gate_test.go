package interleave

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// A gate is the transport of all servers of a schedule. Each request waits at the gate
// until the schedule decides its fate, so that one thing happens at a time, in an order
// that the seed decides. While an operation waits between two tries, nothing else
// happens, so real time decides nothing.
type gate struct {
	next http.RoundTripper
	// arrived receives an operation when it is at the gate, or done.
	arrived chan *operation
}

// A fate is how a request ends.
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
	call := dynamotest.Operation(req)
	m := message{op: op, call: call, header: req.Header, url: req.URL.String(), body: body}

	op.calls++
	if m.namesAnItemTwice() {
		return dynamotest.Failure(req, http.StatusBadRequest, "ValidationException", "an item is named twice"), nil
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
		return conflict(req, m, op.chance), nil
	case obscured:
		resp, err := g.send(m)
		if err != nil {
			return nil, err
		}
		return obscure(req, resp, op.chance)
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

// send returns when the engine has handled the request.
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

// conflict returns DynamoDB's response to a write while a transaction is under way on one
// of its items, which chance picks. DynamoDB Local has no such conflicts, because it
// handles one request at a time.
func conflict(req *http.Request, m message, chance int) *http.Response {
	if m.call == "UpdateItem" {
		return dynamotest.Failure(req, http.StatusBadRequest, "TransactionConflictException", "Transaction is ongoing for the item")
	}
	reasons := slices.Repeat([]dynamotest.Reason{{Code: "None"}}, bytes.Count(m.body, []byte(`"TableName"`)))
	reasons[chance%len(reasons)].Code = "TransactionConflict"
	return dynamotest.Cancellation(req, reasons...)
}

// obscure replaces one reason of a cancelled transaction by a conflict, which shows
// nothing of its item. It changes no other response.
func obscure(req *http.Request, resp *http.Response, chance int) (*http.Response, error) {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("answer of DynamoDB Local: %w", err)
	}
	if reasons, ok := answer["CancellationReasons"].([]any); ok && len(reasons) > 0 {
		reasons[chance%len(reasons)] = map[string]any{"Code": "TransactionConflict"}
		if body, err = json.Marshal(answer); err != nil {
			return nil, err
		}
	}
	return dynamotest.Answer(req, resp.StatusCode, string(body)), nil
}

// namesAnItemTwice reports whether the message is a transaction that DynamoDB rejects
// because it names an item twice. DynamoDB Local accepts two deletes of one item.
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
