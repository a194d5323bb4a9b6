package dynamostore

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// An operation is one call of a method. It counts its requests and classifies their errors.
type operation struct {
	store  *Store
	event  store.Event
	start  time.Time
	writes bool // an error may come after the write was applied
}

func (s *Store) beginRead(name store.Operation) *operation {
	return &operation{store: s, event: store.Event{Operation: name}, start: time.Now()}
}

func (s *Store) beginWrite(name store.Operation) *operation {
	return &operation{store: s, event: store.Event{Operation: name}, start: time.Now(), writes: true}
}

// end calls the observer. It uses outcome if err is nil.
func (op *operation) end(outcome store.Outcome, err error) {
	if op.store.observe != nil {
		op.store.observe(op.event.Ended(op.start, outcome, err))
	}
}

func (op *operation) noteCorrupt(k tokens.Key) { op.event.Corrupt = append(op.event.Corrupt, k) }

func units(c *types.ConsumedCapacity) float64 {
	if c == nil || c.CapacityUnits == nil {
		return 0
	}
	return *c.CapacityUnits
}

// getItem returns nil if nothing is stored under the key.
func (op *operation) getItem(ctx context.Context, key item) (item, error) {
	out, err := op.store.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:              &op.store.table,
		Key:                    key,
		ConsistentRead:         aws.Bool(true),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	op.event.Calls++
	if err != nil {
		return nil, op.callError(ctx, "GetItem", err)
	}
	op.event.ReadUnits += units(out.ConsumedCapacity)
	return out.Item, nil
}

func (op *operation) getRow(ctx context.Context, key tokens.Key) (row, error) {
	i, err := op.getItem(ctx, keyOf(key))
	return newRow(i), err
}

func (op *operation) getClaim(ctx context.Context, h tokens.Hash) (claim, error) {
	i, err := op.getItem(ctx, claimOf(h).key())
	return newClaim(i), err
}

// otherHolder returns the row that the claim names, if that is under another key and has the
// token. The claim must be read first: while it is unchanged, no other row takes the token.
func (op *operation) otherHolder(ctx context.Context, c claim, h tokens.Hash, key tokens.Key) (row, error) {
	if !c.exists() || c.owner == key || c.owner.Validate() != nil {
		return row{}, nil
	}
	r, err := op.getRow(ctx, c.owner)
	if err != nil || r.tokenHash() != h {
		return row{}, err
	}
	return r, nil
}

// query passes each page of in to page, empty ones too. It changes in.
func (op *operation) query(ctx context.Context, in *dynamodb.QueryInput, page func([]item) error) error {
	in.TableName = &op.store.table
	in.ConsistentRead = aws.Bool(true)
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	for {
		out, err := op.store.client.Query(ctx, in)
		op.event.Calls++
		if err != nil {
			return op.callError(ctx, "Query", err)
		}
		op.event.ReadUnits += units(out.ConsumedCapacity)
		if err := page(out.Items); err != nil {
			return err
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

func (op *operation) transactGet(ctx context.Context, first, second item) (one, two item, err error) {
	get := func(key item) types.TransactGetItem {
		return types.TransactGetItem{Get: &types.Get{TableName: &op.store.table, Key: key}}
	}
	out, err := op.store.client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{
		TransactItems:          []types.TransactGetItem{get(first), get(second)},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	op.event.Calls++
	if err != nil {
		return nil, nil, op.callError(ctx, "TransactGetItems", err)
	}
	for i := range out.ConsumedCapacity {
		op.event.ReadUnits += units(&out.ConsumedCapacity[i])
	}
	if len(out.Responses) != 2 {
		return nil, nil, errors.New("dynamostore: TransactGetItems: the response does not have two items")
	}
	return out.Responses[0].Item, out.Responses[1].Item, nil
}

// update makes one conditional write, and retries it after a conflict with a
// transaction, which the SDK does not. If
// the condition does not hold, refused is true and answer is the stored item or nil.
// Otherwise answer has the attributes that in.ReturnValues requests.
func (op *operation) update(ctx context.Context, in *dynamodb.UpdateItemInput) (answer item, refused bool, err error) {
	in.TableName = &op.store.table
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	var wait backoff
	for try := 1; ; try++ {
		out, err := op.store.client.UpdateItem(ctx, in)
		op.event.Calls++
		op.event.Attempts++
		if err == nil {
			op.event.WriteUnits += units(out.ConsumedCapacity)
			return out.Attributes, false, nil
		}
		if failed, ok := as[*types.ConditionalCheckFailedException](err); ok {
			return failed.Item, true, nil
		}
		callErr := op.callError(ctx, "UpdateItem", err)
		if _, conflict := as[*types.TransactionConflictException](err); !conflict || try >= op.store.maxAttempts {
			return nil, false, callErr
		}
		if err := wait.next(ctx); err != nil {
			return nil, false, op.endedBetweenCalls(err)
		}
	}
}
