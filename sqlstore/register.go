package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Register implements [store.Store]: one UPDATE for a refresh, a transaction
// otherwise.
func (s *Store) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	op := s.beginWrite(store.OpRegister)
	result, err := op.register(ctx, req)
	op.event.Moved, op.event.Evicted = result.Moved(), len(result.Evicted)
	op.end(result.Outcome, err)
	return result, err
}

func (op *operation) register(ctx context.Context, req tokens.Request) (store.Result, error) {
	if err := cmp.Or(req.Validate(), ctx.Err()); err != nil {
		return store.Result{}, err
	}
	now := op.store.now()
	reg := tokens.Registration{
		Key: req.Key, Token: req.Token, Platform: req.Platform, ProjectID: req.ProjectID, Status: tokens.Active,
		UpdatedAt: now, ExpiresAt: op.store.policy.Expiry(now),
	}
	refreshed, err := op.refresh(ctx, &reg)
	if err != nil {
		return store.Result{}, err
	}
	if refreshed {
		return store.Result{Registration: reg, Outcome: store.Refreshed}, nil
	}
	var result store.Result
	hash := req.Token.Hash()
	err = op.locked(ctx, req.Key.UserID, hash, func(tx *sql.Tx) error {
		rows, err := op.rows(ctx, tx, op.store.sql[contenders], string(req.Key.UserID), hash[:])
		if err != nil {
			return err
		}
		var remove [][]byte
		op.event.Corrupt = nil // discard those of an earlier try
		result, remove = op.plan(reg, rows, now)
		if err := op.removeHolders(ctx, tx, remove); err != nil {
			return err
		}
		_, err = op.exec(ctx, tx, op.store.sql[write], rowArgs(result.Registration)...)
		return err
	})
	if err != nil {
		return store.Result{}, err
	}
	return result, nil
}

// refresh changes the row if it is live, can be decoded and has the token in any
// spelling. Its conditions on platform, status, token and project are the same as
// in row.check.
const refresh = `UPDATE {table}
SET token = $4, platform = $5, project_id = $6, status = 'active', updated_at = $7, expires_at = $8
WHERE user_id = $1 AND device_id = $2 AND token_hash = $3 AND expires_at > $7 AND token IN ($4, $9, $10)
  AND platform IN ('ios', 'android') AND length(project_id) <= 64
  AND status IN ('active', 'logout', 'device_not_registered', 'inactive')
RETURNING registered_at`

// refresh sets reg.RegisteredAt if it changed the row.
func (op *operation) refresh(ctx context.Context, reg *tokens.Registration) (refreshed bool, err error) {
	hash, spellings := reg.Token.Hash(), reg.Token.Spellings()
	for len(spellings) < 3 {
		spellings = append(spellings, spellings[0])
	}
	scan := func(rows *sql.Rows) error {
		var registeredAt sql.NullInt64
		if err := rows.Scan(&registeredAt); err != nil {
			return err
		}
		refreshed, reg.RegisteredAt = true, storedTime(registeredAt)
		return nil
	}
	err = op.write(ctx, func() error {
		refreshed = false // discard the result of an earlier try, whose commit failed
		return op.query(ctx, op.store.db, scan, op.store.sql[refresh],
			string(reg.Key.UserID), string(reg.Key.DeviceID), hash[:], reg.Token.Reveal(), string(reg.Platform), string(reg.ProjectID),
			reg.UpdatedAt.UnixMilli(), reg.ExpiresAt.UnixMilli(), spellings[1], spellings[2])
	})
	return refreshed, err
}

const contenders = `SELECT ` + columns + ` FROM {table} WHERE user_id = $1 OR token_hash = $2 ORDER BY user_id, device_id{lock}`

const write = `INSERT INTO {table} (` + columns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (user_id, device_id) DO UPDATE SET token_hash = excluded.token_hash, token = excluded.token,
  platform = excluded.platform, project_id = excluded.project_id, status = excluded.status,
  registered_at = excluded.registered_at, updated_at = excluded.updated_at, expires_at = excluded.expires_at`

// plan decides what Register does with reg, whose RegisteredAt is not set. rows are
// the contenders. plan also returns the hashes of the rows to remove.
func (op *operation) plan(reg tokens.Registration, rows []row, now time.Time) (result store.Result, remove [][]byte) {
	hash := reg.Token.Hash()
	reg.RegisteredAt = now
	result.Outcome = store.Created
	var others []tokens.Registration // live ones of the user
	for _, r := range rows {
		switch {
		case r.key == reg.Key:
			if r.err != nil {
				op.noteCorrupt(r.key)
			}
			if !r.live(now) {
				continue
			}
			reg.RegisteredAt = r.reg.RegisteredAt
			result.Outcome = store.Replaced
			if r.reg.Token.Equal(reg.Token) {
				result.Outcome = store.Refreshed
			}
		case bytes.Equal(r.hash, hash[:]):
			remove = append(remove, r.hash)
			if r.live(now) && r.reg.Active() && r.key.UserID != reg.Key.UserID {
				result.MovedFrom = r.key
			}
		case r.live(now):
			others = append(others, r.reg)
		}
	}
	if surplus := len(others) + 1 - op.store.policy.MaxDevices; result.Outcome == store.Created && surplus > 0 {
		slices.SortFunc(others, store.EvictionOrder)
		for _, evicted := range others[:min(surplus, store.MaxEvictions)] {
			evictedHash := evicted.Token.Hash()
			remove = append(remove, evictedHash[:])
			result.Evicted = append(result.Evicted, evicted.Key)
		}
	}
	result.Registration = reg
	return result, remove
}

const deleteHolders = `DELETE FROM {table} WHERE token_hash IN (`

// removeHolders removes rows that the transaction has locked.
func (op *operation) removeHolders(ctx context.Context, tx *sql.Tx, hashes [][]byte) error {
	if len(hashes) == 0 {
		return nil
	}
	var parameters []string
	var args []any
	for i, hash := range hashes {
		parameters = append(parameters, op.store.dialect.parameter+strconv.Itoa(i+1))
		args = append(args, hash)
	}
	_, err := op.exec(ctx, tx, op.store.sql[deleteHolders]+strings.Join(parameters, ", ")+")", args...)
	return err
}

const (
	importContenders = `SELECT ` + columns + ` FROM {table} WHERE user_id = $1 AND device_id = $2 OR token_hash = $3
ORDER BY user_id, device_id{lock}`
	importStatus = `UPDATE {table} SET status = $3 WHERE user_id = $1 AND device_id = $2`
)

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
		rows, err := op.rows(ctx, tx, s.sql[importContenders], string(r.Key.UserID), string(r.Key.DeviceID), hash[:])
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
			_, err = op.exec(ctx, tx, s.sql[write], rowArgs(stored)...)
		case store.ImportedStatus:
			_, err = op.exec(ctx, tx, s.sql[importStatus], string(r.Key.UserID), string(r.Key.DeviceID), string(stored.Status))
		}
		return err
	})
	if err != nil {
		return "", err
	}
	return outcome, nil
}
