package sqlstore

import (
	"cmp"
	"context"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	get    = `SELECT ` + columns + ` FROM {table} WHERE user_id = $1 AND device_id = $2`
	holder = `SELECT ` + columns + ` FROM {table} WHERE token_hash = $1`
	// list selects rows that cannot be decoded, so that they are reported to the
	// observer. It omits only rows with a known inactive status.
	list = `SELECT ` + columns + ` FROM {table}
WHERE user_id = $1 AND status NOT IN ('logout', 'device_not_registered', 'inactive') AND expires_at > $2 ORDER BY device_id`
)

// Get implements [store.Store]: one SELECT.
func (s *Store) Get(ctx context.Context, key tokens.Key) (tokens.Registration, error) {
	return s.one(ctx, store.OpGet, key.Validate(), s.sql.get, string(key.UserID), string(key.DeviceID))
}

// Holder implements [store.Store]: one SELECT.
func (s *Store) Holder(ctx context.Context, h tokens.Hash) (tokens.Registration, error) {
	return s.one(ctx, store.OpHolder, h.Validate(), s.sql.holder, h[:])
}

// one reads at most one row.
func (s *Store) one(ctx context.Context, name store.Operation, invalid error, statement string, args ...any) (reg tokens.Registration, err error) {
	op := s.beginRead(name)
	defer func() { op.end(store.OK, err) }()
	if err := cmp.Or(invalid, ctx.Err()); err != nil {
		return tokens.Registration{}, err
	}
	rows, err := op.read(ctx, statement, args...)
	if err != nil {
		return tokens.Registration{}, err
	}
	return registration(rows, s.now())
}

// List implements [store.Store]: one SELECT.
func (s *Store) List(ctx context.Context, user tokens.UserID) (regs []tokens.Registration, err error) {
	op := s.beginRead(store.OpList)
	defer func() { op.end(store.OK, err) }()
	if err := cmp.Or(user.Validate(), ctx.Err()); err != nil {
		return nil, err
	}
	rows, err := op.read(ctx, s.sql.list, string(user), s.now().UnixMilli())
	for _, r := range rows {
		if r.err != nil {
			op.noteCorrupt(r.key)
			continue
		}
		regs = append(regs, r.reg)
	}
	return regs, err
}
