package sqlstore

import (
	"cmp"
	"context"
	"database/sql"

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
	inspect = `SELECT ` + columns + ` FROM {table} WHERE user_id = $1 ORDER BY device_id`

	// segments selects the smallest user id of each of n parts of the table with
	// about the same number of rows.
	segments = `SELECT DISTINCT first_user FROM
(SELECT min(user_id) AS first_user FROM (SELECT user_id, ntile($1) OVER (ORDER BY user_id) AS part FROM {table}) AS parts GROUP BY part) AS firsts
ORDER BY first_user`

	maxSegments = 1 << 16 // PostgreSQL's ntile takes 32 bits

	page           = `SELECT ` + columns + ` FROM {table} WHERE (user_id, device_id) > ($1, $2)`
	pageBeforeUser = ` AND user_id < $4`
	pageEnd        = ` ORDER BY user_id, device_id LIMIT $3`
)

// Get implements [store.Store]: one SELECT.
func (s *Store) Get(ctx context.Context, key tokens.Key) (tokens.Registration, error) {
	return s.one(ctx, store.OpGet, key.Validate(), s.sql[get], string(key.UserID), string(key.DeviceID))
}

// Holder implements [store.Store]: one SELECT.
func (s *Store) Holder(ctx context.Context, h tokens.Hash) (tokens.Registration, error) {
	return s.one(ctx, store.OpHolder, h.Validate(), s.sql[holder], h[:])
}

func (s *Store) one(ctx context.Context, name store.Operation, invalid error, statement string, args ...any) (reg tokens.Registration, err error) {
	op := s.beginRead(name)
	defer func() { op.end(store.OK, err) }()
	rows, err := op.read(ctx, invalid, statement, args...)
	if err != nil {
		return tokens.Registration{}, err
	}
	return registration(rows, s.now())
}

// List implements [store.Store]: one SELECT.
func (s *Store) List(ctx context.Context, user tokens.UserID) (regs []tokens.Registration, err error) {
	op := s.beginRead(store.OpList)
	defer func() { op.end(store.OK, err) }()
	rows, err := op.read(ctx, user.Validate(), s.sql[list], string(user), s.now().UnixMilli())
	for _, r := range rows {
		if r.err != nil {
			op.noteCorrupt(r.key)
			continue
		}
		regs = append(regs, r.reg)
	}
	return regs, err
}

// Inspect implements [store.Inspector]: one SELECT.
func (s *Store) Inspect(ctx context.Context, user tokens.UserID) (all []store.Record, err error) {
	op := s.beginRead(store.OpInspect)
	defer func() { op.end(store.OK, err) }()
	rows, err := op.read(ctx, user.Validate(), s.sql[inspect], string(user))
	return records(rows), err
}

// Segments implements [store.Walker]: one SELECT, which reads the whole index of
// the primary key.
func (s *Store) Segments(ctx context.Context, n int) ([]store.Cursor, error) {
	if err := cmp.Or(store.ValidatePage(n), ctx.Err()); err != nil {
		return nil, err
	}
	var users []tokens.UserID
	op := s.beginRead("segments")
	err := op.repeat(ctx, func() error {
		users = nil
		return op.query(ctx, s.db, func(rows *sql.Rows) error {
			var user tokens.UserID
			err := rows.Scan(&user)
			users = append(users, user)
			return err
		}, s.sql[segments], int64(min(n, maxSegments)))
	})
	if err != nil {
		return nil, err
	}
	cursors := []store.Cursor{}
	var segment store.KeyRange
	for i := range max(1, len(users)) {
		if segment.Until = ""; i+1 < len(users) {
			segment.Until = users[i+1]
		}
		cursors = append(cursors, segment.Cursor())
		segment.After.UserID = segment.Until
	}
	return cursors, nil
}

// Page implements [store.Walker]: one SELECT.
func (s *Store) Page(ctx context.Context, from store.Cursor, limit int) (all []store.Record, next store.Cursor, err error) {
	op := s.beginRead(store.OpPage)
	defer func() { op.end(store.OK, err) }()
	left, err := store.ParseCursor(from)
	invalid := tokens.JoinInvalid(err, store.ValidatePage(limit))
	statement, args := s.sql[page+pageEnd], []any{string(left.After.UserID), string(left.After.DeviceID), int64(limit)}
	if left.Until != "" {
		statement, args = s.sql[page+pageBeforeUser+pageEnd], append(args, string(left.Until))
	}
	rows, err := op.read(ctx, invalid, statement, args...)
	if err != nil {
		return nil, "", err
	}
	if len(rows) < limit {
		return records(rows), "", nil
	}
	left.After = rows[limit-1].key
	return records(rows), left.Cursor(), nil
}
