package dynamotest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
)

// A Recorder is a transport that records each request to DynamoDB and its response, with
// the cost on AWS and the required IAM actions. It is safe for concurrent use.
type Recorder struct {
	Next http.RoundTripper // nil: the shared one to DynamoDB Local

	mu    sync.Mutex
	calls []Call
}

// A Call is one request with a response.
type Call struct {
	Operation string   // "UpdateItem"
	Refused   bool     // a condition did not hold: nothing was written
	Actions   []string // IAM's, sorted; those of the items of a transaction
	Tables    []string // that it names, sorted
	Index     string   // that it names
	Items     []string // of a transaction, such as "Update alice/phone" and "Put a claim"
	// Conditions are the texts of its condition, key condition and filter
	// expressions, and of those of the items of a transaction.
	Conditions []string

	WriteUnits, ReadUnits float64 // as AWS bills it
	Reported              float64 // units of either kind, as the answer has it
}

// String is the call with its cost: "UpdateItem (refused) 1 W".
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

// Calls returns what was recorded since the last Reset.
func (r *Recorder) Calls() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

// Reset forgets what was recorded.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = nil
}

// RoundTrip implements [http.RoundTripper]. A request that it does not understand
// is an error.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	asked, err := takeBody(&req.Body)
	if err != nil {
		return nil, err
	}
	next := r.Next
	if next == nil {
		next = transport
	}
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	answered, err := takeBody(&resp.Body)
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
	c := Call{Operation: operation, Actions: actions(operation, req), Index: req.IndexName, Reported: resp.ConsumedCapacity.units()}
	for _, code := range []string{"ConditionalCheckFailedException", "TransactionCanceledException"} {
		c.Refused = c.Refused || strings.HasSuffix(resp.Type, "#"+code)
	}
	c.Conditions = append(c.Conditions, req.ConditionExpression, req.KeyConditionExpression, req.FilterExpression)
	if req.TableName != "" {
		c.Tables = append(c.Tables, req.TableName)
	}
	for _, t := range req.TransactItems {
		kind, key, on := t.target()
		c.Tables = append(c.Tables, on.TableName)
		c.Conditions = append(c.Conditions, on.ConditionExpression)
		if name := keyText(key); strings.HasPrefix(name, "#claim#") {
			c.Items = append(c.Items, kind+" a claim")
		} else {
			c.Items = append(c.Items, kind+" "+name)
		}
	}
	slices.Sort(c.Tables)
	c.Tables = slices.Compact(c.Tables)
	c.Conditions = slices.DeleteFunc(c.Conditions, func(text string) bool { return text == "" })
	return c, c.bill(req, resp)
}

// What a Recorder reads of requests and answers.
type (
	request struct {
		TableName, IndexName string
		ConsistentRead       bool
		Item                 wireItem
		TransactItems        []transactItem

		ConditionExpression, KeyConditionExpression, FilterExpression string
	}
	transactItem struct{ Put, Update, Delete, Get, ConditionCheck *action }
	action       struct {
		TableName           string
		Item, Key           wireItem
		ConditionExpression string
	}
	response struct {
		Type             string `json:"__type"`
		Item             wireItem
		Attributes       wireItem
		Responses        []struct{ Item wireItem }
		ConsumedCapacity capacity
	}
	capacity []struct{ CapacityUnits float64 } // one of each table
	wireItem Item
)

// UnmarshalJSON also reads the single one that all but transactions have.
func (c *capacity) UnmarshalJSON(text []byte) error {
	if text[0] != '[' {
		text = slices.Concat([]byte{'['}, text, []byte{']'})
	}
	return json.Unmarshal(text, (*[]struct{ CapacityUnits float64 })(c))
}

func (c capacity) units() (sum float64) {
	for _, table := range c {
		sum += table.CapacityUnits
	}
	return sum
}

func (i *wireItem) UnmarshalJSON(text []byte) error {
	item, err := attributevalue.UnmarshalMapJSON(text)
	*i = item
	return err
}

// target returns the kind of t, the key of its item, and its action.
func (t transactItem) target() (kind string, key Item, on action) {
	for kind, a := range map[string]*action{
		"Put": t.Put, "Update": t.Update, "Delete": t.Delete, "Get": t.Get, "ConditionCheck": t.ConditionCheck,
	} {
		switch {
		case a == nil:
		case a.Key != nil:
			return kind, Item(a.Key), *a
		default:
			return kind, Item{"userId": a.Item["userId"], "deviceId": a.Item["deviceId"]}, *a
		}
	}
	return "", nil, action{}
}

// The IAM actions that package dynamostore needs, sorted and without the prefix
// "dynamodb:". Tests compare them with the requests that are sent, and with the policies
// of infrastructure/.
var (
	// StoreActions are the actions of all methods of store.Store.
	StoreActions = []string{"DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"}

	// UpgradeActions are the actions of Upgrade, which an operator runs.
	UpgradeActions = []string{"DeleteItem", "GetItem", "PutItem", "Scan", "UpdateItem"}

	// TableActions are the actions of CreateTable.
	TableActions = []string{"CreateTable", "DescribeTable", "UpdateTimeToLive"}
)

// StoreOperations are the operations of DynamoDB that the methods of store.Store call,
// sorted. Some metrics exist for each operation.
var StoreOperations = []string{"GetItem", "Query", "TransactGetItems", "TransactWriteItems", "UpdateItem"}

// actions returns the IAM actions that AWS requires for a request. Transactions
// have none of their own: they need those of the actions in them ("IAM and
// DynamoDB transactions" in the developer guide).
func actions(operation string, req request) []string {
	var all []string
	switch operation {
	case "TransactWriteItems", "TransactGetItems":
		for _, t := range req.TransactItems {
			kind, _, _ := t.target()
			all = append(all, kind+"Item")
		}
	default:
		all = append(all, operation)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
