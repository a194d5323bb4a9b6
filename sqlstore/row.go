package sqlstore

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A row is a stored row, decoded or not.
type row struct {
	key       tokens.Key
	hash      []byte // column token_hash
	expiresAt time.Time
	reg       tokens.Registration // if err is nil
	err       error               // why the row cannot be decoded
}

// columns are the table's columns, in the order of scanRow and rowArgs.
const columns = `user_id, device_id, token_hash, token, platform, project_id, status, registered_at, updated_at, expires_at`

func scanRow(rows *sql.Rows) (row, error) {
	var (
		r                       row
		token                   string
		registeredAt, updatedAt sql.NullInt64
		expiresAt               int64
	)
	err := rows.Scan(&r.key.UserID, &r.key.DeviceID, &r.hash, &token, &r.reg.Platform, &r.reg.ProjectID, &r.reg.Status,
		&registeredAt, &updatedAt, &expiresAt)
	if err != nil {
		return row{}, err
	}
	r.expiresAt = millis(expiresAt)
	r.reg.Key, r.reg.ExpiresAt = r.key, r.expiresAt
	r.reg.RegisteredAt, r.reg.UpdatedAt = storedTime(registeredAt), storedTime(updatedAt)
	if r.reg.Token, r.err = tokens.ParseToken(token); r.err == nil {
		r.err = r.check()
	}
	if r.err != nil {
		// Not wrapped: an InvalidError is about the caller's arguments.
		r.reg, r.err = tokens.Registration{}, errors.New("stored "+r.err.Error())
	}
	return r, nil
}

func (r row) check() error {
	req := tokens.Request{Key: r.key, Token: r.reg.Token, Platform: r.reg.Platform, ProjectID: r.reg.ProjectID}
	if err := tokens.JoinInvalid(req.Validate(), r.reg.Status.Validate()); err != nil {
		return err
	}
	if hash := r.reg.Token.Hash(); !bytes.Equal(hash[:], r.hash) {
		return errors.New("token_hash is not the hash of token")
	}
	return nil
}

func rowArgs(r tokens.Registration) []any {
	hash := r.Token.Hash()
	return []any{string(r.Key.UserID), string(r.Key.DeviceID), hash[:], r.Token.Reveal(), string(r.Platform), string(r.ProjectID),
		string(r.Status), timeArg(r.RegisteredAt), timeArg(r.UpdatedAt), r.ExpiresAt.UnixMilli()}
}

func timeArg(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

func storedTime(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return millis(ms.Int64)
}

// millis returns the time, or the nearest one in the years 1 to 9999, which RFC
// 3339 can express. This package stores no time outside them; a manual edit may.
func millis(ms int64) time.Time {
	const first, last = -62135596800000, 253402300799999
	return time.UnixMilli(min(max(ms, first+1), last)).UTC() // the first itself is the zero time
}

func (r row) live(now time.Time) bool { return r.err == nil && !r.reg.Expired(now) }

// registration returns the result of Get and Holder at now: ErrNotFound if the row
// is absent or expired, and a CorruptError if it cannot be decoded.
func registration(rows []row, now time.Time) (tokens.Registration, error) {
	switch {
	case len(rows) == 0 || (tokens.Registration{ExpiresAt: rows[0].expiresAt}).Expired(now):
		return tokens.Registration{}, store.ErrNotFound
	case rows[0].err != nil:
		return tokens.Registration{}, rows[0].corrupt()
	}
	return rows[0].reg, nil
}

func (r row) corrupt() error { return &store.CorruptError{Key: r.key, Err: r.err} }

func (r row) record() store.Record {
	if r.err != nil {
		return store.Record{Key: r.key, Err: r.corrupt()}
	}
	return store.Record{Key: r.key, Registration: r.reg}
}

func records(rows []row) []store.Record {
	if len(rows) == 0 {
		return nil
	}
	all := make([]store.Record, len(rows))
	for i, r := range rows {
		all[i] = r.record()
	}
	return all
}

// lockNumbers returns the smaller number first. If two collide, calls only wait for each
// other.
func lockNumbers(table string, user tokens.UserID, h tokens.Hash) []any {
	number := func(parts ...[]byte) int64 {
		sum := sha256.Sum256(bytes.Join(parts, []byte{0}))
		return int64(binary.BigEndian.Uint64(sum[:]))
	}
	numbers := []int64{number([]byte(table), []byte("user"), []byte(user)), number([]byte(table), []byte("token"), h[:])}
	slices.Sort(numbers)
	return []any{numbers[0], numbers[1]}
}
