package dynamostore

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The calls of the SDK, each counted, with the units that DynamoDB reports, and
// with its error classified.

func (op *operation) getItem(ctx context.Context, key item) (item, error) {
	out, err := op.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:              &op.table,
		Key:                    key,
		ConsistentRead:         ptr(true),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	op.event.Calls++
	if err != nil {
		return nil, op.fault(ctx, "GetItem", err)
	}
	op.read(out.ConsumedCapacity)
	return out.Item, nil
}

// query follows the pages of in, which it changes, and hands each to page,
// empty ones too.
func (op *operation) query(ctx context.Context, in *dynamodb.QueryInput, page func([]item) error) error {
	in.TableName = &op.table
	in.ConsistentRead = ptr(true)
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	for {
		out, err := op.client.Query(ctx, in)
		op.event.Calls++
		if err != nil {
			return op.fault(ctx, "Query", err)
		}
		op.read(out.ConsumedCapacity)
		if err := page(out.Items); err != nil {
			return err
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// update makes one conditional write. If the condition does not hold, refused is
// true and old is the item as it is, nil if there is none; else new is the item
// as in.ReturnValues asked for it.
func (op *operation) update(ctx context.Context, in *dynamodb.UpdateItemInput) (answer item, refused bool, err error) {
	in.TableName = &op.table
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	var wait backoff
	for try := 1; ; try++ {
		out, err := op.client.UpdateItem(ctx, in)
		op.event.Calls++
		op.event.Attempts++
		if err == nil {
			op.wrote(out.ConsumedCapacity)
			return out.Attributes, false, nil
		}
		if old, ok := conditionFailed(err); ok {
			return old, true, nil
		}
		fault := op.fault(ctx, "UpdateItem", err)
		if !isConflict(err) || try >= op.maxAttempts {
			return nil, false, fault
		}
		if err := wait.next(ctx); err != nil {
			return nil, false, op.canceled(err)
		}
	}
}

// transactGet reads two items at one instant.
func (op *operation) transactGet(ctx context.Context, first, second item) (one, two item, err error) {
	get := func(key item) types.TransactGetItem {
		return types.TransactGetItem{Get: &types.Get{TableName: &op.table, Key: key}}
	}
	out, err := op.client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{
		TransactItems:          []types.TransactGetItem{get(first), get(second)},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	op.event.Calls++
	if err != nil {
		return nil, nil, op.fault(ctx, "TransactGetItems", err)
	}
	for i := range out.ConsumedCapacity {
		op.read(&out.ConsumedCapacity[i])
	}
	if len(out.Responses) != 2 {
		return nil, nil, errors.New("dynamodb TransactGetItems: an answer for two items has another number of them")
	}
	return out.Responses[0].Item, out.Responses[1].Item, nil
}

// What became of a transaction.
type result int

const (
	failed    result = iota // for good, or nobody knows
	committed               // all writes happened
	refused                 // none did: a condition does not hold, and the write was told
	contended               // none did: somebody writes the same items, or the table is throttled
)

// transact makes all writes or none. The error says why, if they were not made.
func (op *operation) transact(ctx context.Context, writes []write) (result, error) {
	in := &dynamodb.TransactWriteItemsInput{
		TransactItems:          make([]types.TransactWriteItem, len(writes)),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	for i, w := range writes {
		in.TransactItems[i] = w.item
	}
	out, err := op.client.TransactWriteItems(ctx, in)
	op.event.Calls++
	op.event.Attempts++
	if err == nil {
		for i := range out.ConsumedCapacity {
			op.wrote(&out.ConsumedCapacity[i])
		}
		return committed, nil
	}
	fault := op.fault(ctx, "TransactWriteItems", err)
	reasons, ok := cancellation(err)
	if !ok || len(reasons) != len(writes) {
		return failed, fault
	}
	// A conflict on one item says nothing about it; a refusal of another one
	// does. So all reasons are read before anything is decided.
	outcome := refused
	for i, r := range reasons {
		switch codeOf(r) {
		case codeNone:
		case codeConditionFailed:
			writes[i].refused(r.Item)
		default:
			outcome = contended
		}
	}
	if classify(err) == nil {
		outcome = failed
	}
	return outcome, fault
}

func (op *operation) read(c *types.ConsumedCapacity) {
	if c != nil && c.CapacityUnits != nil {
		op.event.ReadUnits += *c.CapacityUnits
	}
}

func (op *operation) wrote(c *types.ConsumedCapacity) {
	if c != nil && c.CapacityUnits != nil {
		op.event.WriteUnits += *c.CapacityUnits
	}
}
