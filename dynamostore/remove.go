package dynamostore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	paramInactive param = "inactive"
	paramReason   param = "reason"
)

// Deactivate and Invalidate do not change the claim, because an inactive registration keeps
// its token.
var deactivateTemplate = compile(expression.NewBuilder().
	WithUpdate(setInactive()).
	WithCondition(exists().And(notInactive(hole(paramInactive)))))

func setInactive() expression.UpdateBuilder {
	return expression.
		Set(attribute(attrIsActive), hole(paramInactive)).
		Set(attribute(attrInactiveReason), hole(paramReason))
}

func setInactiveArgs(reason tokens.Status) []arg {
	return []arg{{paramInactive, boolValue(false)}, {paramReason, stringValue(string(reason))}}
}

// Deactivate implements [store.Store] by one UpdateItem, which takes one write unit. If
// the SDK retries the write after a lost response, and the device registered again in
// between, the retry deactivates the new registration.
func (s *Store) Deactivate(ctx context.Context, key tokens.Key) (err error) {
	op := s.beginWrite(store.OpDeactivate)
	defer func() { op.end(store.OK, err) }()
	if err := cmp.Or(key.Validate(), ctx.Err()); err != nil {
		return err
	}
	// If the condition does not hold, the registration is absent or inactive.
	_, _, err = op.update(ctx, deactivateTemplate.updateInput(keyOf(key), setInactiveArgs(tokens.LoggedOut)...))
	return err
}

var errChanging = fmt.Errorf("dynamostore: the registration changed at every attempt: %w", store.ErrTryAgain)

// Invalidate implements [store.Store] by a strongly consistent GetItem, and one UpdateItem
// if the registration has the token. If the SDK retries the write after a lost response,
// the condition protects a registration that was written in between.
func (s *Store) Invalidate(ctx context.Context, key tokens.Key, h tokens.Hash, sentAt time.Time) (err error) {
	op := s.beginWrite(store.OpInvalidate)
	defer func() { op.end(store.OK, err) }()
	if err := cmp.Or(store.ValidateInvalidation(key, h, sentAt), ctx.Err()); err != nil {
		return err
	}
	newest := sentAt.Add(-store.ClockSkew)
	stored, err := op.getItem(ctx, keyOf(key))
	if err != nil {
		return err
	}
	for range op.store.maxAttempts {
		r := newRow(stored)
		if !r.exists() || r.err != nil || r.tokenHash() != h || !r.reg.Active() ||
			!r.reg.UpdatedAt.IsZero() && r.reg.UpdatedAt.After(newest) {
			return nil
		}
		t, args := invalidateAsObserved(r)
		in := t.updateInput(keyOf(key), args...)
		in.ReturnValuesOnConditionCheckFailure = returnStored
		var refused bool
		stored, refused, err = op.update(ctx, in)
		if err != nil || !refused {
			return err
		}
	}
	return errChanging
}

// invalidateAsObserved compares the text of the token and not a stored hash, because the
// earlier service would change the text without the hash.
func invalidateAsObserved(r row) (template, []arg) {
	g := attributesEqual(r.item, attrToken, attrIsActive, attrUpdatedAt)
	t := compile(expression.NewBuilder().WithUpdate(setInactive()).WithCondition(g.condition))
	return t, append(setInactiveArgs(tokens.DeviceNotRegistered), g.args...)
}

// Delete implements [store.Store] by one GetItem, and one transaction on the registration
// and its claim.
func (s *Store) Delete(ctx context.Context, key tokens.Key) (err error) {
	op := s.beginWrite(store.OpDelete)
	defer func() { op.end(store.OK, err) }()
	if err := cmp.Or(key.Validate(), ctx.Err()); err != nil {
		return err
	}
	r, err := op.getRow(ctx, key)
	if err != nil {
		return err
	}
	return op.erase(ctx, []row{r})
}

// DeleteUser implements [store.Store] by a Query, and one transaction for every 20
// registrations and their claims. After an error some registrations may remain.
func (s *Store) DeleteUser(ctx context.Context, user tokens.UserID) (err error) {
	op := s.beginWrite(store.OpDeleteUser)
	defer func() { op.end(store.OK, err) }()
	if err := cmp.Or(user.Validate(), ctx.Err()); err != nil {
		return err
	}
	return op.eraseUser(ctx, user)
}

var errEraseUser = errors.New("dynamostore: EraseUser wants the user id of a registration: not empty, and not that of a claim")

// EraseUser erases all rows of a user whose id [Store.DeleteUser] rejects. The earlier
// service may have written ids that are too long, have control characters or begin with
// '#'. [Upgrade] reports their rows as Unreadable. EraseUser is for operators. It works
// like DeleteUser and needs the same IAM actions.
func EraseUser(ctx context.Context, c Client, table string, user tokens.UserID) error {
	s, err := New(c, table, Options{})
	if user == "" || strings.HasPrefix(string(user), claimPrefix) {
		err = errors.Join(err, errEraseUser)
	}
	if err := cmp.Or(err, ctx.Err()); err != nil {
		return err
	}
	return s.beginWrite(store.OpDeleteUser).eraseUser(ctx, user)
}

// rowsPerErasure keeps the transactions of DeleteUser small, because a concurrent
// Register of one device cancels the whole transaction.
const rowsPerErasure = 20

func (op *operation) eraseUser(ctx context.Context, user tokens.UserID) error {
	return op.rowsOf(ctx, user, func(page []row) error {
		for group := range slices.Chunk(page, rowsPerErasure) {
			if err := op.erase(ctx, group); err != nil {
				return err
			}
		}
		return nil
	})
}

// erase also removes a row that changed since it was read.
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
