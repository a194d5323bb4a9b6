package dynamostore

import (
	"cmp"
	"context"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Register implements [store.Store]. A refresh is one conditional UpdateItem and
// takes one write unit. If its condition does not hold, Register uses a
// transaction. It then makes two calls if the token changed, three for a new device
// or if the token moves to this device, and four if both are the case. It makes one
// more if the token moves from another user's registration that is logged out or
// expired.
//
// Register finds the holder of a token by its claim. A row that the earlier service
// wrote has no claim until [Upgrade] has processed it, so Register does not take
// the token from it, and two users have the token. Upgrade such a table before its
// first traffic.
//
// If the SDK retries a refresh after a lost response, the refresh is applied again,
// over any change in between. A transaction is applied once, because the SDK
// retries it with the same idempotency token, which DynamoDB keeps for ten minutes.
func (s *Store) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	op := s.beginWrite(store.OpRegister)
	res, err := op.register(ctx, req)
	op.event.Moved, op.event.Evicted = res.Moved(), len(res.Evicted)
	op.end(res.Outcome, err)
	return res, err
}

func (op *operation) register(ctx context.Context, req tokens.Request) (store.Result, error) {
	if err := cmp.Or(req.Validate(), ctx.Err()); err != nil {
		return store.Result{}, err
	}
	now := op.store.now()
	own, refused, err := op.refresh(ctx, req, now)
	if err != nil {
		return store.Result{}, err
	}
	if !refused && own.err == nil {
		return op.store.refreshed(req, now, own), nil
	}
	undecodable := own.err != nil
	if !refused {
		// The refresh overwrote a row that cannot be decoded, which the device
		// limit does not count. The transfer applies the limit.
		i, err := op.getItem(ctx, keyOf(req.Key))
		if err != nil {
			return store.Result{}, err
		}
		own = newRow(i)
	}
	t := newTransfer(op, req, now, own)
	t.overUndecodable = !refused
	if err := op.commit(ctx, func() ([]write, error) { return t.plan(ctx) }); err != nil {
		return store.Result{}, err
	}
	if undecodable || t.own.err != nil {
		op.noteCorrupt(req.Key)
	}
	return t.result, nil
}

// registration returns the registration that Register stores at now.
func (s *Store) registration(req tokens.Request, now, registeredAt time.Time) tokens.Registration {
	return tokens.Registration{
		Key:          req.Key,
		Token:        req.Token,
		Platform:     req.Platform,
		ProjectID:    req.ProjectID,
		Status:       tokens.Active,
		RegisteredAt: registeredAt,
		UpdatedAt:    now,
		ExpiresAt:    s.policy.Expiry(now),
	}
}
