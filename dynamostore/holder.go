package dynamostore

import (
	"context"
	"errors"
	"fmt"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Holder implements [store.Store]: a strongly consistent GetItem of the claim,
// and one of the registration that it names. Where they do not agree, the token
// is moving or the registration is gone: both are read again, at one instant.
//
// A row of an older service has no claim until it is registered or upgraded, and
// Holder misses it.
func (s *Store) Holder(ctx context.Context, t tokens.Token) (tokens.Registration, error) {
	op := s.begin(OpHolder)
	reg, err := op.holder(ctx, t)
	op.end(OK, err)
	return reg, err
}

var (
	errCorruptClaim = errors.New("the claim names no registration")
	errMoving       = fmt.Errorf("%w: the token moved while it was looked up", store.ErrTryAgain)
)

func (op *operation) holder(ctx context.Context, t tokens.Token) (tokens.Registration, error) {
	if err := ready(ctx, t.Validate()); err != nil {
		return tokens.Registration{}, err
	}
	now, spelled, claimKey := op.now(), spellings(t), claimOf(t).key()
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
		// A registration that has the token had it when the claim was read, or
		// has it by now: either way it held it during this call.
		if r := newRow(i); r.holds(spelled) {
			return r.read(now)
		}
		first, second, err := op.transactGet(ctx, claimKey, owner)
		if err != nil {
			return tokens.Registration{}, err
		}
		again, r := newClaim(first), newRow(second)
		switch {
		case again.exists() && again.owner != c.owner:
			if op.event.Calls > 2*op.maxAttempts {
				return tokens.Registration{}, errMoving
			}
			c = again
		case again.exists() && r.holds(spelled):
			return r.read(now)
		default:
			return tokens.Registration{}, store.ErrNotFound
		}
	}
	return tokens.Registration{}, store.ErrNotFound
}
