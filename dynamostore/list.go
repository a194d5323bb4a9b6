package dynamostore

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/tokens"
)

const paramUserID param = "userId"

// listTemplate leaves out what is inactive or expired, so that it does not
// travel; it is paid for all the same. Each condition is in the negative: an
// attribute of a wrong type is not left out, but reported.
var listTemplate = compile(expression.NewBuilder().
	WithKeyCondition(expression.Key(attrUserID).Equal(hole(paramUserID))).
	WithFilter(notInactive(hole(paramInactive)).
		And(attribute(attrExpiresAt).AttributeNotExists().
			Or(attribute(attrExpiresAt).LessThanEqual(hole(paramNow)).Not()))))

// List implements [store.Store]: one strongly consistent Query a page, of up to
// 1 MB of rows.
func (s *Store) List(ctx context.Context, user tokens.UserID) ([]tokens.Registration, error) {
	op := s.begin(OpList)
	regs, err := op.list(ctx, user)
	op.end(OK, err)
	return regs, err
}

func (op *operation) list(ctx context.Context, user tokens.UserID) ([]tokens.Registration, error) {
	if err := ready(ctx, user.Validate()); err != nil {
		return nil, err
	}
	var regs []tokens.Registration
	err := op.query(ctx, &dynamodb.QueryInput{
		KeyConditionExpression:   listTemplate.keyCondition,
		FilterExpression:         listTemplate.filter,
		ExpressionAttributeNames: listTemplate.names,
		ExpressionAttributeValues: listTemplate.bind(
			arg{paramUserID, stringValue(string(user))},
			arg{paramInactive, boolValue(false)},
			arg{paramNow, secondsValue(op.now())}),
	}, func(page []item) error {
		regs = slices.Grow(regs, len(page))
		for _, i := range page {
			reg, err := decode(i)
			if err != nil {
				op.corrupt(row{item: i}.key())
				continue
			}
			regs = append(regs, reg)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return regs, nil
}

var userTemplate = compile(expression.NewBuilder().
	WithKeyCondition(expression.Key(attrUserID).Equal(hole(paramUserID))))

// rows reads everything that is stored for the user, a page at a time.
func (op *operation) rows(ctx context.Context, user tokens.UserID, page func([]row) error) error {
	return op.query(ctx, &dynamodb.QueryInput{
		KeyConditionExpression:    userTemplate.keyCondition,
		ExpressionAttributeNames:  userTemplate.names,
		ExpressionAttributeValues: userTemplate.bind(arg{paramUserID, stringValue(string(user))}),
	}, func(items []item) error {
		rows := make([]row, len(items))
		for i := range items {
			rows[i] = newRow(items[i])
		}
		return page(rows)
	})
}
