package dynamostore

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A write is one item of a transaction.
type write struct {
	item types.TransactWriteItem
	// refused is called with the stored item, or nil, if the condition does not hold.
	refused func(item)
}

// commit makes the writes of plan in one transaction. If conditions do not hold, commit calls
// the refused functions of those writes and then plan again, until plan returns no writes.
func (op *operation) commit(ctx context.Context, plan func() ([]write, error)) error {
	var wait backoff
	for try := 1; ; try++ {
		writes, err := plan()
		if err != nil || len(writes) == 0 {
			return err
		}
		result, err := op.transact(ctx, writes)
		switch {
		case result == committed:
			return nil
		case result == failed || try >= op.store.maxAttempts:
			return err
		case result == refused && try == 1:
			continue // the failed condition returned the items that the next plan needs
		}
		if err := wait.next(ctx); err != nil {
			return op.endedBetweenCalls(err)
		}
	}
}

// A result is the outcome of one transaction.
type result int

const (
	failed    result = iota // permanently, or the outcome is unknown
	committed               // all writes were made
	refused                 // no write was made: a condition does not hold
	contended               // no write was made: other calls write the same items, or the table is throttled
)

func (op *operation) transact(ctx context.Context, writes []write) (result, error) {
	in := &dynamodb.TransactWriteItemsInput{
		TransactItems:          make([]types.TransactWriteItem, len(writes)),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	for i, w := range writes {
		in.TransactItems[i] = w.item
	}
	out, err := op.store.client.TransactWriteItems(ctx, in)
	op.event.Calls++
	op.event.Attempts++
	if err == nil {
		for i := range out.ConsumedCapacity {
			op.event.WriteUnits += units(&out.ConsumedCapacity[i])
		}
		return committed, nil
	}
	callErr := op.callError(ctx, "TransactWriteItems", err)
	canceled, ok := as[*types.TransactionCanceledException](err)
	if !ok || len(canceled.CancellationReasons) != len(writes) {
		return failed, callErr
	}
	// A conflict returns no item, while a failed condition does. So all reasons
	// are read before deciding.
	outcome := refused
	for i, r := range canceled.CancellationReasons {
		switch aws.ToString(r.Code) {
		case "", codeNone:
		case codeConditionFailed:
			writes[i].refused(r.Item)
		default:
			outcome = contended
		}
	}
	if classify(err) == nil {
		outcome = failed
	}
	return outcome, callErr
}

// A backoff waits between two attempts of a contended write, first for about the time of a
// transaction, then twice as long each time.
type backoff struct{ tries int }

const (
	firstWait = 5 * time.Millisecond
	maxWait   = 160 * time.Millisecond
)

func (b *backoff) next(ctx context.Context) error {
	wait := min(firstWait<<min(b.tries, 10), maxWait)
	b.tries++
	// Jitter, so that two callers that conflicted do not conflict again.
	timer := time.NewTimer(wait/2 + rand.N(wait/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A guard is a condition with its values.
type guard struct {
	condition expression.ConditionBuilder
	args      []arg
}

func (g guard) and(h guard) guard {
	return guard{condition: g.condition.And(h.condition), args: append(g.args[:len(g.args):len(g.args)], h.args...)}
}

// attributesEqual requires the named attributes to match i, including type and
// absence.
func attributesEqual(i item, attributes ...string) guard {
	var all guard
	for n, name := range attributes {
		one := guard{condition: attribute(name).AttributeNotExists()}
		if v, ok := i[name]; ok {
			p := param("observed " + name)
			one = guard{condition: attribute(name).Equal(hole(p)), args: []arg{{p, v}}}
		}
		if n == 0 {
			all = one
		} else {
			all = all.and(one)
		}
	}
	return all
}

// unchanged requires that the registration was not created, replaced or removed since r was
// observed. The four attributes are the version of a row. A second Register of the same token
// within a millisecond changes none of them, and does not matter here.
func unchanged(r row) guard {
	if !r.exists() {
		return guard{condition: notExists()}
	}
	return guard{condition: exists()}.and(attributesEqual(r.item, attrToken, attrRegisteredAt, attrUpdatedAt, attrExpiresAt))
}

func holdsOneOf(spellings []string) guard {
	args := spellingArgs(spellings)
	return guard{condition: hasSpelling(), args: args[:]}
}

// returnStored makes a failed condition return the stored item.
const returnStored = types.ReturnValuesOnConditionCheckFailureAllOld

func (op *operation) putWrite(i item, g guard, refused func(item)) write {
	t := compile(expression.NewBuilder().WithCondition(g.condition))
	return write{refused: refused, item: types.TransactWriteItem{Put: &types.Put{
		TableName: &op.store.table, Item: i, ConditionExpression: t.condition, ReturnValuesOnConditionCheckFailure: returnStored,
		ExpressionAttributeNames: t.names, ExpressionAttributeValues: t.bind(g.args...),
	}}}
}

func (op *operation) deleteWrite(key item, g guard, refused func(item)) write {
	t := compile(expression.NewBuilder().WithCondition(g.condition))
	return write{refused: refused, item: types.TransactWriteItem{Delete: &types.Delete{
		TableName: &op.store.table, Key: key, ConditionExpression: t.condition, ReturnValuesOnConditionCheckFailure: returnStored,
		ExpressionAttributeNames: t.names, ExpressionAttributeValues: t.bind(g.args...),
	}}}
}

func (op *operation) updateWrite(key item, update expression.UpdateBuilder, g guard, args []arg, refused func(item)) write {
	t := compile(expression.NewBuilder().WithUpdate(update).WithCondition(g.condition))
	return write{refused: refused, item: types.TransactWriteItem{Update: &types.Update{
		TableName: &op.store.table, Key: key, ConditionExpression: t.condition, ReturnValuesOnConditionCheckFailure: returnStored,
		UpdateExpression: t.update, ExpressionAttributeNames: t.names, ExpressionAttributeValues: t.bind(append(args, g.args...)...),
	}}}
}
