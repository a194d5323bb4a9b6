package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	deactivate = `UPDATE {table} SET status = 'logout' WHERE user_id = $1 AND device_id = $2 AND status = 'active'`
	invalidate = `UPDATE {table} SET status = 'device_not_registered'
WHERE user_id = $1 AND device_id = $2 AND token_hash = $3 AND status = 'active' AND (updated_at IS NULL OR updated_at <= $4)`
	deleteOne = `DELETE FROM {table} WHERE user_id = $1 AND device_id = $2`

	// The rows are locked in the order of their keys, as in Register, so that the
	// two do not deadlock.
	deleteUser = `DELETE FROM {table} WHERE (user_id, device_id) IN
(SELECT user_id, device_id FROM {table} WHERE user_id = $1 ORDER BY user_id, device_id{lock})`
)

// Deactivate implements [store.Store]: one UPDATE.
func (s *Store) Deactivate(ctx context.Context, key tokens.Key) error {
	return s.change(ctx, store.OpDeactivate, key.Validate(), s.sql[deactivate], string(key.UserID), string(key.DeviceID))
}

// Invalidate implements [store.Store]: one UPDATE.
func (s *Store) Invalidate(ctx context.Context, key tokens.Key, h tokens.Hash, sentAt time.Time) error {
	return s.change(ctx, store.OpInvalidate, store.ValidateInvalidation(key, h, sentAt), s.sql[invalidate],
		string(key.UserID), string(key.DeviceID), h[:], sentAt.Add(-store.ClockSkew).UnixMilli())
}

// Delete implements [store.Store]: one DELETE.
func (s *Store) Delete(ctx context.Context, key tokens.Key) error {
	return s.change(ctx, store.OpDelete, key.Validate(), s.sql[deleteOne], string(key.UserID), string(key.DeviceID))
}

// DeleteUser implements [store.Store]: one DELETE, which erases all of the user's
// registrations atomically.
func (s *Store) DeleteUser(ctx context.Context, user tokens.UserID) error {
	return s.change(ctx, store.OpDeleteUser, user.Validate(), s.sql[deleteUser], string(user))
}

func (s *Store) change(ctx context.Context, name store.Operation, invalid error, statement string, args ...any) error {
	op := s.beginWrite(name)
	err := cmp.Or(invalid, ctx.Err())
	if err == nil {
		err = op.write(ctx, func() error {
			_, err := op.exec(ctx, s.db, statement, args...)
			return err
		})
	}
	op.end(store.OK, err)
	return err
}

const (
	purgeBatch = 1000

	rangeEnd = `SELECT user_id, device_id FROM {table} WHERE (user_id, device_id) > ($1, $2)
ORDER BY user_id, device_id LIMIT 1 OFFSET $3`

	// purge skips a row that another call locks, because that call registers or
	// removes it. The next purge reads it again.
	purge = `DELETE FROM {table} WHERE (user_id, device_id) IN
(SELECT user_id, device_id FROM {table} WHERE (user_id, device_id) > ($1, $2)`
	purgeBeforeKey = ` AND (user_id, device_id) <= ($4, $5)`
	purgeEnd       = ` AND expires_at <= $3 ORDER BY user_id, device_id{skip}) AND expires_at <= $3`
)

// Purge removes rows that expired at least keep ago, and returns their number. Run
// it daily. No other method depends on it.
//
// keep must be at least [store.ClockSkew], so that a server whose clock is fast
// removes no live registration. A week is a good value, because Inspect then shows
// for a week why a device received no messages.
//
// Purge walks the whole table by its primary key in batches of a thousand rows, two
// statements each. After an error, the result is the number of rows removed so far.
func (s *Store) Purge(ctx context.Context, keep time.Duration) (removed int64, err error) {
	if keep < store.ClockSkew {
		return 0, errors.New("sqlstore: Purge: keep is less than store.ClockSkew, which is 5 minutes")
	}
	op := s.beginWrite("purge")
	before := s.now().Add(-keep).UnixMilli()
	var after tokens.Key
	for {
		last, more, err := op.endOfRange(ctx, after)
		if err != nil {
			return removed, err
		}
		statement, args := s.sql[purge+purgeEnd], []any{string(after.UserID), string(after.DeviceID), before}
		if more {
			statement, args = s.sql[purge+purgeBeforeKey+purgeEnd], append(args, string(last.UserID), string(last.DeviceID))
		}
		err = op.write(ctx, func() error {
			n, err := op.exec(ctx, s.db, statement, args...)
			removed += n
			return err
		})
		if err != nil || !more {
			return removed, err
		}
		after = last
	}
}

// endOfRange returns the last key of the next batch, or false if fewer rows remain.
func (op *operation) endOfRange(ctx context.Context, after tokens.Key) (last tokens.Key, ok bool, err error) {
	err = op.repeat(ctx, func() error {
		ok = false
		return op.query(ctx, op.store.db, func(rows *sql.Rows) error {
			ok = true
			return rows.Scan(&last.UserID, &last.DeviceID)
		}, op.store.sql[rangeEnd], string(after.UserID), string(after.DeviceID), int64(purgeBatch-1))
	})
	return last, ok, err
}
