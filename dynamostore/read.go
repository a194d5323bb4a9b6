package dynamostore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Get implements [store.Store] by one strongly consistent GetItem.
func (s *Store) Get(ctx context.Context, key tokens.Key) (reg tokens.Registration, err error) {
	op := s.beginRead(store.OpGet)
	defer func() { op.end(store.OK, err) }()
	if err := cmp.Or(key.Validate(), ctx.Err()); err != nil {
		return tokens.Registration{}, err
	}
	r, err := op.getRow(ctx, key)
	if err != nil {
		return tokens.Registration{}, err
	}
	return r.registration(op.store.now())
}

const paramUserID param = "userId"

// listTemplate filters out inactive and expired rows, which saves traffic but no read units.
// Its conditions are negative, so that a row with an attribute of another type is returned
// and reported.
var listTemplate = compile(expression.NewBuilder().
	WithKeyCondition(expression.Key(attrUserID).Equal(hole(paramUserID))).
	WithFilter(notInactive(hole(paramInactive)).
		And(attribute(attrExpiresAt).AttributeNotExists().
			Or(attribute(attrExpiresAt).LessThanEqual(hole(paramNow)).Not()))))

// List implements [store.Store] by one strongly consistent Query for each page of up to
// 1 MB of rows.
func (s *Store) List(ctx context.Context, user tokens.UserID) (regs []tokens.Registration, err error) {
	op := s.beginRead(store.OpList)
	defer func() { op.end(store.OK, err) }()
	if err := cmp.Or(user.Validate(), ctx.Err()); err != nil {
		return nil, err
	}
	err = op.query(ctx, listTemplate.queryInput(
		arg{paramUserID, stringValue(string(user))},
		arg{paramInactive, boolValue(false)},
		arg{paramNow, secondsValue(op.store.now())},
	), func(page []item) error {
		regs = slices.Grow(regs, len(page))
		for _, i := range page {
			reg, err := decode(i)
			if err != nil {
				op.noteCorrupt(row{item: i}.key())
				continue
			}
			regs = append(regs, reg)
		}
		return nil
	})
	if err != nil {
		return nil, err // without the pages before the error
	}
	return regs, nil
}

var userTemplate = compile(expression.NewBuilder().
	WithKeyCondition(expression.Key(attrUserID).Equal(hole(paramUserID))))

func (op *operation) rowsOf(ctx context.Context, user tokens.UserID, page func([]row) error) error {
	return op.query(ctx, userTemplate.queryInput(arg{paramUserID, stringValue(string(user))}), func(items []item) error {
		rows := make([]row, len(items))
		for i := range items {
			rows[i] = newRow(items[i])
		}
		return page(rows)
	})
}

// Inspect implements [store.Inspector] by one strongly consistent Query for each page of up
// to 1 MB of rows.
func (s *Store) Inspect(ctx context.Context, user tokens.UserID) (records []store.Record, err error) {
	op := s.beginRead(store.OpInspect)
	defer func() { op.end(store.OK, err) }()
	if err := cmp.Or(user.Validate(), ctx.Err()); err != nil {
		return nil, err
	}
	err = op.rowsOf(ctx, user, func(page []row) error {
		for _, r := range page {
			records = append(records, r.record())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

func (r row) record() store.Record {
	if r.err != nil {
		return store.Record{Key: r.key(), Err: &store.CorruptError{Key: r.key(), Err: r.err}}
	}
	return store.Record{Key: r.key(), Registration: r.reg}
}

func (r row) isClaim() bool { return strings.HasPrefix(r.text(attrUserID), claimPrefix) }

var (
	errCorruptClaim = errors.New("the claim names no registration")
	errMoving       = fmt.Errorf("dynamostore: the token moved during the lookup: %w", store.ErrTryAgain)
)

// Holder implements [store.Store] by a strongly consistent GetItem of the claim, and one of
// the registration that the claim names. If they disagree, because the token moves or the
// registration was removed, Holder reads both again in a transaction. It does not find a
// row of the earlier service until the row is registered or upgraded.
func (s *Store) Holder(ctx context.Context, h tokens.Hash) (reg tokens.Registration, err error) {
	op := s.beginRead(store.OpHolder)
	defer func() { op.end(store.OK, err) }()
	if err := cmp.Or(h.Validate(), ctx.Err()); err != nil {
		return tokens.Registration{}, err
	}
	now, claimKey := op.store.now(), claimOf(h).key()
	i, err := op.getItem(ctx, claimKey)
	if err != nil {
		return tokens.Registration{}, err
	}
	for c := newClaim(i); c.exists(); {
		if c.owner.Validate() != nil {
			return tokens.Registration{}, &store.CorruptError{Key: c.owner, Err: errCorruptClaim}
		}
		owner := keyOf(c.owner)
		if i, err = op.getItem(ctx, owner); err != nil {
			return tokens.Registration{}, err
		}
		// A registration that has the token held it when the claim was read, or took it
		// since. In both cases it held the token during this call.
		if r := newRow(i); r.tokenHash() == h {
			return r.registration(now)
		}
		first, second, err := op.transactGet(ctx, claimKey, owner)
		if err != nil {
			return tokens.Registration{}, err
		}
		again, r := newClaim(first), newRow(second)
		switch {
		case again.exists() && again.owner != c.owner:
			if op.event.Calls > 2*op.store.maxAttempts {
				return tokens.Registration{}, errMoving
			}
			c = again
		case again.exists() && r.tokenHash() == h:
			return r.registration(now)
		default:
			return tokens.Registration{}, store.ErrNotFound
		}
	}
	return tokens.Registration{}, store.ErrNotFound
}
