package dynamostore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Deactivate and Invalidate are one conditional UpdateItem on the registration.
// A refusal is a success: the registration is absent or inactive already or, for
// Invalidate, it is not the one that the message was sent to. Neither method
// touches the claim: an inactive registration keeps its token.

const (
	paramInactive param = "inactive"
	paramReason   param = "reason"
	paramNewest   param = "newest"
)

var (
	deactivateTemplate = compile(expression.NewBuilder().
				WithUpdate(setInactive()).
				WithCondition(exists().And(notInactive(hole(paramInactive)))))

	invalidateTemplate = compile(expression.NewBuilder().
				WithUpdate(setInactive()).
				WithCondition(hasSpelling().
					And(notInactive(hole(paramInactive))).
					And(attribute(attrUpdatedAt).AttributeNotExists().
						Or(attribute(attrUpdatedAt).LessThanEqual(hole(paramNewest))))))
)

func setInactive() expression.UpdateBuilder {
	return expression.
		Set(attribute(attrIsActive), hole(paramInactive)).
		Set(attribute(attrInactiveReason), hole(paramReason))
}

// Deactivate implements [store.Store]: one call, one write unit. If the SDK
// repeats the write after a lost answer and the device registered again in
// between, the repeat deactivates the new registration.
func (s *Store) Deactivate(ctx context.Context, key tokens.Key) error {
	op := s.beginWrite(OpDeactivate)
	err := cmp.Or(key.Validate(), ctx.Err())
	if err == nil {
		err = op.deactivate(ctx, key, deactivateTemplate, tokens.LoggedOut)
	}
	op.end(OK, err)
	return err
}

// Invalidate implements [store.Store]: one call, one write unit. If the SDK
// repeats the write after a lost answer, its condition protects a registration
// that was made in between.
func (s *Store) Invalidate(ctx context.Context, key tokens.Key, t tokens.Token, sentAt time.Time) error {
	op := s.beginWrite(OpInvalidate)
	err := cmp.Or(store.ValidateInvalidation(key, t, sentAt), ctx.Err())
	if err == nil {
		spelled := spellingArgs(spellings(t))
		err = op.deactivate(ctx, key, invalidateTemplate, tokens.DeviceNotRegistered,
			spelled[0], spelled[1], spelled[2],
			arg{paramNewest, timeValue(sentAt.Add(-store.ClockSkew))})
	}
	op.end(OK, err)
	return err
}

func (op *operation) deactivate(ctx context.Context, key tokens.Key, t template, reason tokens.Status, args ...arg) error {
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

// Delete implements [store.Store]: one GetItem, and one transaction on the
// registration and its claim. If the SDK repeats the transaction after a lost
// answer, DynamoDB recognizes its idempotency token and does nothing.
func (s *Store) Delete(ctx context.Context, key tokens.Key) error {
	op := s.beginWrite(OpDelete)
	err := op.delete(ctx, key)
	op.end(OK, err)
	return err
}

func (op *operation) delete(ctx context.Context, key tokens.Key) error {
	if err := cmp.Or(key.Validate(), ctx.Err()); err != nil {
		return err
	}
	i, err := op.getItem(ctx, keyOf(key))
	if err != nil {
		return err
	}
	return op.erase(ctx, []row{newRow(i)})
}

// DeleteUser implements [store.Store]: a Query, and one transaction for up to 20
// registrations and their claims. After an error some may be left.
func (s *Store) DeleteUser(ctx context.Context, user tokens.UserID) error {
	op := s.beginWrite(OpDeleteUser)
	err := op.deleteUser(ctx, user)
	op.end(OK, err)
	return err
}

// rowsPerErasure keeps the transactions of DeleteUser small, because a device
// that registers meanwhile refuses a whole one.
const rowsPerErasure = 20

func (op *operation) deleteUser(ctx context.Context, user tokens.UserID) error {
	if err := cmp.Or(user.Validate(), ctx.Err()); err != nil {
		return err
	}
	return op.rowsOf(ctx, user, func(page []row) error {
		for group := range slices.Chunk(page, rowsPerErasure) {
			if err := op.erase(ctx, group); err != nil {
				return err
			}
		}
		return nil
	})
}

// erase removes the rows and releases their claims. It removes a row that
// changed meanwhile, too.
func (op *operation) erase(ctx context.Context, rows []row) error {
	var release claimRelease
	return op.commit(ctx, func() ([]write, error) {
		var writes []write
		for i, r := range rows {
			if r.exists() {
				writes = append(writes, op.deleteWrite(keyOf(r.key()), unchanged(r), func(stored item) { rows[i] = newRow(stored) }))
			}
		}
		return append(writes, release.writes(op, rows)...), nil
	})
}
