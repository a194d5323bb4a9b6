package dynamostore

import (
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A write is one item of a transaction.
type write struct {
	item types.TransactWriteItem
	// refused is called if the condition of this item does not hold, with the
	// item as it is, nil if there is none. It takes note for the next plan.
	refused func(item)
}

// A guard is a condition with its values.
type guard struct {
	condition expression.ConditionBuilder
	args      []arg
}

func (g guard) and(h guard) guard {
	return guard{condition: g.condition.And(h.condition), args: append(g.args[:len(g.args):len(g.args)], h.args...)}
}

// as holds while each of the attributes is what it is in i, of whatever type, or
// absent as it is there.
func as(i item, attributes ...string) guard {
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

// unchanged holds while nobody has registered, replaced or removed what is under
// the key since r was observed. The four attributes together are its version: a
// second Register of the same token within a millisecond leaves them as they
// were, and changes nothing that matters here.
func unchanged(r row) guard {
	if !r.exists() {
		return guard{condition: notExists()}
	}
	return guard{condition: exists()}.and(as(r.item, attrToken, attrRegisteredAt, attrUpdatedAt, attrExpiresAt))
}

func (op *operation) put(i item, g guard, refused func(item)) write {
	t := compile(expression.NewBuilder().WithCondition(g.condition))
	return write{refused: refused, item: types.TransactWriteItem{Put: &types.Put{
		TableName:                           &op.table,
		Item:                                i,
		ConditionExpression:                 t.condition,
		ExpressionAttributeNames:            t.names,
		ExpressionAttributeValues:           t.bind(g.args...),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}}
}

func (op *operation) remove(key item, g guard, refused func(item)) write {
	t := compile(expression.NewBuilder().WithCondition(g.condition))
	return write{refused: refused, item: types.TransactWriteItem{Delete: &types.Delete{
		TableName:                           &op.table,
		Key:                                 key,
		ConditionExpression:                 t.condition,
		ExpressionAttributeNames:            t.names,
		ExpressionAttributeValues:           t.bind(g.args...),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}}
}

func (op *operation) set(key item, update expression.UpdateBuilder, g guard, args []arg, refused func(item)) write {
	t := compile(expression.NewBuilder().WithUpdate(update).WithCondition(g.condition))
	return write{refused: refused, item: types.TransactWriteItem{Update: &types.Update{
		TableName:                           &op.table,
		Key:                                 key,
		UpdateExpression:                    t.update,
		ConditionExpression:                 t.condition,
		ExpressionAttributeNames:            t.names,
		ExpressionAttributeValues:           t.bind(append(args, g.args...)...),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}}
}
