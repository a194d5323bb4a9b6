package dynamotest

import "slices"

// The IAM actions that the parts of package dynamostore need, each with the
// prefix "dynamodb:" on AWS, sorted. Tests hold them to what goes out on the
// wire, and the policies of infrastructure/ to them.
var (
	// StoreActions are those of every method of store.Store.
	StoreActions = []string{"DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"}

	// UpgradeActions are those of Upgrade, which an operator runs.
	UpgradeActions = []string{"DeleteItem", "GetItem", "PutItem", "Scan", "UpdateItem"}

	// TableActions are those of CreateTable.
	TableActions = []string{"CreateTable", "DescribeTable", "UpdateTimeToLive"}
)

// StoreOperations are the operations of DynamoDB that every method of store.Store
// calls, sorted: some metrics exist for each operation alone.
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
