package dynamostore

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Deactivate and Invalidate are one conditional UpdateItem on the registration.
// A refused one is a success: there is nothing to mark, or it is marked already,
// or, for Invalidate, the registration is not the one that the message went to.
// Neither touches the claim; an inactive registration keeps its token.

const (
	paramInactive param = "inactive"
	paramReason   param = "reason"
	paramNewest   param = "newest"
)

var (
	deactivateTemplate = compile(expression.NewBuilder().
				WithUpdate(markInactive()).
				WithCondition(exists().And(notInactive(hole(paramInactive)))))

	invalidateTemplate = compile(expression.NewBuilder().
				WithUpdate(markInactive()).
				WithCondition(hasSpelling().
					And(notInactive(hole(paramInactive))).
					And(attribute(attrUpdatedAt).AttributeNotExists().
						Or(attribute(attrUpdatedAt).LessThanEqual(hole(paramNewest))))))
)

func markInactive() expression.UpdateBuilder {
	return expression.
		Set(attribute(attrIsActive), hole(paramInactive)).
		Set(attribute(attrInactiveReason), hole(paramReason))
}

// Deactivate implements [store.Store]: one call, one write unit. If the SDK
// repeats it after a lost answer, and the device registered again in between,
// that is undone.
func (s *Store) Deactivate(ctx context.Context, key tokens.Key) error {
	op := s.begin(OpDeactivate)
	err := ready(ctx, key.Validate())
	if err == nil {
		err = op.mark(ctx, key, deactivateTemplate, tokens.LoggedOut)
	}
	op.end(OK, err)
	return err
}

// Invalidate implements [store.Store]: one call, one write unit. If the SDK
// repeats it after a lost answer, the condition protects whoever registered in
// between.
func (s *Store) Invalidate(ctx context.Context, key tokens.Key, t tokens.Token, sentAt time.Time) error {
	op := s.begin(OpInvalidate)
	err := ready(ctx, store.ValidateInvalidation(key, t, sentAt))
	if err == nil {
		spelled := spellingArgs(spellings(t))
		err = op.mark(ctx, key, invalidateTemplate, tokens.DeviceNotRegistered,
			spelled[0], spelled[1], spelled[2],
			arg{paramNewest, timeValue(sentAt.Add(-store.ClockSkew))})
	}
	op.end(OK, err)
	return err
}

func (op *operation) mark(ctx context.Context, key tokens.Key, t template, reason tokens.Status, args ...arg) error {
	args = append(args, arg{paramInactive, boolValue(false)}, arg{paramReason, stringValue(string(reason))})
	_, _, err := op.update(ctx, &dynamodb.UpdateItemInput{
		Key:                       keyOf(key),
		UpdateExpression:          t.update,
		ConditionExpression:       t.condition,
		ExpressionAttributeNames:  t.names,
		ExpressionAttributeValues: t.bind(args...),
	})
	return err
}
