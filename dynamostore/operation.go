package dynamostore

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// An Operation names a method of [Store] in an [Event].
type Operation string

// The operations that are observed.
const (
	OpRegister   Operation = "register"
	OpGet        Operation = "get"
	OpList       Operation = "list"
	OpHolder     Operation = "holder"
	OpDeactivate Operation = "deactivate"
	OpInvalidate Operation = "invalidate"
	OpDelete     Operation = "delete"
	OpDeleteUser Operation = "delete_user"
)

// An Outcome is how a call ended, in an [Event]. A successful Register has the
// outcome of its result.
type Outcome string

// The outcomes of a call.
const (
	Created   = Outcome(store.Created)
	Refreshed = Outcome(store.Refreshed)
	Replaced  = Outcome(store.Replaced)
	// Moved replaces these three if another user's active registration lost
	// the token.
	Moved Outcome = "moved"
	// OK is the outcome of every other successful method.
	OK Outcome = "ok"

	NotFound      Outcome = "not_found"     // [store.ErrNotFound]
	Invalid       Outcome = "invalid"       // a [tokens.InvalidError]
	Corrupt       Outcome = "corrupt"       // a [store.CorruptError]
	TryAgain      Outcome = "try_again"     // [store.ErrTryAgain], or the context's deadline passed
	Misconfigured Outcome = "misconfigured" // [store.ErrMisconfigured]
	Canceled      Outcome = "canceled"      // the context was canceled
	Failed        Outcome = "error"         // any other error
)

// An Event describes one method call: its cost and its outcome. It is for
// metrics and logs; only its field Corrupt contains user and device ids.
type Event struct {
	Operation Operation
	Outcome   Outcome

	// Attempts counts the write requests: 0 for a read and for a call that
	// found nothing to write, more than usual if others wrote the same items.
	Attempts int

	// Calls counts the calls of the AWS SDK. The SDK's own retries are part of
	// one call.
	Calls int

	// Duration is the time that the call took, on the wall clock.
	Duration time.Duration

	// ReadUnits and WriteUnits are the capacity that DynamoDB reported. It
	// reports none for a refused write, although it charges for one.
	ReadUnits, WriteUnits float64

	// Corrupt has the keys of undecodable rows that List left out or that
	// Register overwrote; nil if there are none.
	Corrupt []tokens.Key

	// Err is the error that the call returned.
	Err error
}

// An operation is one method call under way. It makes the SDK calls, counts
// them with the units that DynamoDB reports, and classifies their errors.
type operation struct {
	store  *Store
	event  Event
	start  time.Time
	writes bool // a lost answer may hide a change
}

func (s *Store) beginRead(name Operation) *operation {
	return &operation{store: s, event: Event{Operation: name}, start: time.Now()}
}

func (s *Store) beginWrite(name Operation) *operation {
	return &operation{store: s, event: Event{Operation: name}, start: time.Now(), writes: true}
}

// end reports the operation to the observer. The outcome counts if err is nil.
func (op *operation) end(outcome Outcome, err error) {
	if op.store.observe == nil {
		return
	}
	op.event.Outcome = outcome
	if err != nil {
		op.event.Outcome = outcomeOf(err)
	}
	op.event.Err = err
	op.event.Duration = time.Since(op.start)
	op.store.observe(op.event)
}

func (op *operation) noteCorrupt(k tokens.Key) { op.event.Corrupt = append(op.event.Corrupt, k) }

func (op *operation) countRead(c *types.ConsumedCapacity) {
	if c != nil && c.CapacityUnits != nil {
		op.event.ReadUnits += *c.CapacityUnits
	}
}

func (op *operation) countWrite(c *types.ConsumedCapacity) {
	if c != nil && c.CapacityUnits != nil {
		op.event.WriteUnits += *c.CapacityUnits
	}
}

// getItem returns nil if nothing is stored under the key.
func (op *operation) getItem(ctx context.Context, key item) (item, error) {
	out, err := op.store.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:              &op.store.table,
		Key:                    key,
		ConsistentRead:         ptr(true),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	op.event.Calls++
	if err != nil {
		return nil, op.callError(ctx, "GetItem", err)
	}
	op.countRead(out.ConsumedCapacity)
	return out.Item, nil
}

// query passes each page of in to page, empty ones too. It changes in.
func (op *operation) query(ctx context.Context, in *dynamodb.QueryInput, page func([]item) error) error {
	in.TableName = &op.store.table
	in.ConsistentRead = ptr(true)
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	for {
		out, err := op.store.client.Query(ctx, in)
		op.event.Calls++
		if err != nil {
			return op.callError(ctx, "Query", err)
		}
		op.countRead(out.ConsumedCapacity)
		if err := page(out.Items); err != nil {
			return err
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// transactGet reads two items at one instant.
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
		op.countRead(&out.ConsumedCapacity[i])
	}
	if len(out.Responses) != 2 {
		return nil, nil, errors.New("dynamodb TransactGetItems: an answer for two items has another number of them")
	}
	return out.Responses[0].Item, out.Responses[1].Item, nil
}

// update makes one conditional write. If its condition does not hold, refused is
// true and answer is the stored item, nil if there is none. Otherwise answer is
// what in.ReturnValues asks for. A conflict with a transaction is tried again.
func (op *operation) update(ctx context.Context, in *dynamodb.UpdateItemInput) (answer item, refused bool, err error) {
	in.TableName = &op.store.table
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	var wait backoff
	for try := 1; ; try++ {
		out, err := op.store.client.UpdateItem(ctx, in)
		op.event.Calls++
		op.event.Attempts++
		if err == nil {
			op.countWrite(out.ConsumedCapacity)
			return out.Attributes, false, nil
		}
		if stored, ok := conditionFailed(err); ok {
			return stored, true, nil
		}
		callErr := op.callError(ctx, "UpdateItem", err)
		if !isConflict(err) || try >= op.store.maxAttempts {
			return nil, false, callErr
		}
		if err := wait.next(ctx); err != nil {
			return nil, false, op.endedBetweenCalls(err)
		}
	}
}
