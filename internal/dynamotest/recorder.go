package dynamotest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/tokens"
)

// A Recorder is a transport that records each request to DynamoDB, with its cost on AWS
// and the IAM actions that it needs. It is safe for concurrent use.
type Recorder struct {
	Next http.RoundTripper // nil: the shared one to DynamoDB Local

	mu    sync.Mutex
	calls []Call
}

// A Call is one request with a response.
type Call struct {
	Operation  string   // "UpdateItem"
	Refused    bool     // a condition did not hold
	Actions    []string // IAM actions; for a transaction those of its items
	Items      []string // of a transaction, such as "Update alice/phone" and "Put a claim"
	Conditions []string // condition, key condition and filter expressions, also of the items

	WriteUnits, ReadUnits float64 // as AWS bills them
	Reported              float64 // units of either kind in the response
}

// String returns the call with its cost, such as "UpdateItem (refused) 1 W".
func (c Call) String() string {
	text := c.Operation
	if c.Refused {
		text += " (refused)"
	}
	if c.WriteUnits > 0 {
		text += fmt.Sprintf(" %v W", c.WriteUnits)
	}
	if c.ReadUnits > 0 {
		text += fmt.Sprintf(" %v R", c.ReadUnits)
	}
	return text
}

// Calls returns the calls since the last Reset.
func (r *Recorder) Calls() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

// Reset forgets the calls.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = nil
}

// RoundTrip implements [http.RoundTripper]. It returns an error for an unknown request.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	asked, err := takeBody(&req.Body)
	if err != nil {
		return nil, err
	}
	next := r.Next
	if next == nil {
		next = transport
	}
	resp, answered, err := roundTrip(next, req)
	if err != nil {
		return nil, err
	}
	call, err := newCall(Operation(req), asked, answered)
	if err != nil {
		return nil, fmt.Errorf("dynamotest: %s: %w", Operation(req), err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call)
	return resp, nil
}

func newCall(operation string, asked, answered []byte) (Call, error) {
	var (
		req  request
		resp response
	)
	if err := json.Unmarshal(asked, &req); err != nil {
		return Call{}, err
	}
	if err := json.Unmarshal(answered, &resp); err != nil {
		return Call{}, err
	}
	c := Call{
		Operation:  operation,
		Refused:    strings.HasSuffix(resp.Type, "#ConditionalCheckFailedException") || strings.HasSuffix(resp.Type, "#TransactionCanceledException"),
		Conditions: []string{req.ConditionExpression, req.KeyConditionExpression, req.FilterExpression},
	}
	for _, table := range resp.ConsumedCapacity {
		c.Reported += table.CapacityUnits
	}
	for _, t := range req.TransactItems {
		kind, key, on := target(t)
		// "IAM and DynamoDB transactions" in the developer guide
		c.Actions = append(c.Actions, kind+"Item")
		c.Conditions = append(c.Conditions, on.ConditionExpression)
		name := string(key.UserID) + "/" + string(key.DeviceID)
		if strings.HasPrefix(name, "#claim#") {
			name = "a claim"
		}
		c.Items = append(c.Items, kind+" "+name)
	}
	if c.Actions == nil {
		c.Actions = []string{operation}
	}
	c.Conditions = slices.DeleteFunc(c.Conditions, func(text string) bool { return text == "" })
	return c, c.bill(req, resp)
}

type (
	request struct {
		ConsistentRead bool
		TransactItems  []map[string]action // by the kind of write, such as "Put"

		ConditionExpression, KeyConditionExpression, FilterExpression string
	}
	action struct {
		TableName           string
		Item, Key           struct{ UserID, DeviceID struct{ S string } }
		ConditionExpression string
	}
	response struct {
		Type             string `json:"__type"`
		ConsumedCapacity capacity
	}
	capacity []struct{ CapacityUnits float64 } // one for each table
)

// UnmarshalJSON also reads a single capacity, which all calls but transactions have.
func (c *capacity) UnmarshalJSON(text []byte) error {
	if text[0] != '[' {
		text = slices.Concat([]byte{'['}, text, []byte{']'})
	}
	return json.Unmarshal(text, (*[]struct{ CapacityUnits float64 })(c))
}

// target returns the kind, the key and the action of an item of a transaction.
func target(item map[string]action) (kind string, key tokens.Key, on action) {
	for kind, on = range item {
		k := on.Key
		if kind == "Put" {
			k = on.Item
		}
		key = tokens.Key{UserID: tokens.UserID(k.UserID.S), DeviceID: tokens.DeviceID(k.DeviceID.S)}
	}
	return kind, key, on
}

// The IAM actions that the methods of store.Store need, and the operations that they call,
// sorted. Tests compare them with the requests and with infrastructure/.
var (
	StoreActions    = []string{"DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"}
	StoreOperations = []string{"GetItem", "Query", "TransactGetItems", "TransactWriteItems", "UpdateItem"}
)

// ItemSize returns the size of an item in bytes ("DynamoDB item sizes and formats" in the
// developer guide of DynamoDB). Numbers are not negative, and rounded up.
func ItemSize(i Item) int {
	size := 0
	for name, value := range i {
		size += len(name)
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			size += len(v.Value)
		case *types.AttributeValueMemberN:
			size += (len(v.Value)+1)/2 + 2
		case *types.AttributeValueMemberBOOL:
			size++
		default:
			panic(fmt.Sprintf("dynamotest: the size of attribute %s is not known", name))
		}
	}
	return size
}

// bill sets the units that AWS charges for the call ("DynamoDB read and write operations" in
// the developer guide), if each item has at most one KiB. A refused write costs the same. AWS
// does not document the units of a canceled transaction, which are assumed to be the same.
func (c *Call) bill(req request, resp response) error {
	consistency := 0.5
	if req.ConsistentRead {
		consistency = 1
	}
	switch c.Operation {
	case "UpdateItem", "DeleteItem", "PutItem":
		c.WriteUnits = 1
	case "GetItem":
		c.ReadUnits = consistency
	case "Query", "Scan":
		if resp.ConsumedCapacity == nil {
			return fmt.Errorf("%s does not request the consumed capacity", c.Operation)
		}
		c.ReadUnits = max(consistency, c.Reported)
	case "TransactWriteItems":
		c.WriteUnits = 2 * float64(len(req.TransactItems))
	case "TransactGetItems":
		c.ReadUnits = 2 * float64(len(req.TransactItems))
	}
	return nil
}
