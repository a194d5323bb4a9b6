package sqlstore

import (
	"cmp"
	"context"
	"database/sql"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	inspect = `SELECT ` + columns + ` FROM {table} WHERE user_id = $1 ORDER BY device_id`

	importContenders = `SELECT ` + columns + ` FROM {table} WHERE user_id = $1 AND device_id = $2 OR token_hash = $3
ORDER BY user_id, device_id{lock}`
	importStatus = `UPDATE {table} SET status = $3 WHERE user_id = $1 AND device_id = $2`
)

// Inspect implements [store.Inspector]: one SELECT.
func (s *Store) Inspect(ctx context.Context, user tokens.UserID) (all []store.Record, err error) {
	op := s.beginRead(store.OpInspect)
	defer func() { op.end(store.OK, err) }()
	if err := cmp.Or(user.Validate(), ctx.Err()); err != nil {
		return nil, err
	}
	rows, err := op.read(ctx, s.sql.inspect, string(user))
	return records(rows), err
}

// Import implements [store.Importer]: a transaction with the same locks as
// Register.
func (s *Store) Import(ctx context.Context, r tokens.Registration) (outcome store.ImportOutcome, err error) {
	op := s.beginWrite(store.OpImport)
	defer func() { op.end(store.OK, err) }()
	if err := cmp.Or(store.ValidateImport(r), ctx.Err()); err != nil {
		return "", err
	}
	now, hash := s.now(), r.Token.Hash()
	err = op.locked(ctx, r.Key.UserID, hash, func(tx *sql.Tx) error {
		rows, err := op.rows(ctx, tx, s.sql.importContenders, string(r.Key.UserID), string(r.Key.DeviceID), hash[:])
		if err != nil {
			return err
		}
		var own, holder *tokens.Registration
		var remove [][]byte
		for i := range rows {
			of := &own
			if rows[i].key != r.Key {
				of, remove = &holder, [][]byte{rows[i].hash}
			}
			if rows[i].err == nil {
				*of = &rows[i].reg
			}
		}
		var stored tokens.Registration
		stored, outcome = s.policy.PlanImport(r, now, own, holder)
		switch outcome {
		case store.Imported:
			if err := op.removeHolders(ctx, tx, remove); err != nil {
				return err
			}
			_, err = op.exec(ctx, tx, s.sql.write, rowArgs(stored)...)
		case store.ImportedStatus:
			_, err = op.exec(ctx, tx, s.sql.importStatus, string(r.Key.UserID), string(r.Key.DeviceID), string(stored.Status))
		}
		return err
	})
	if err != nil {
		return "", err
	}
	return outcome, nil
}
