package sqlstore

import (
	"cmp"
	"context"
	"database/sql"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
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
		}, s.sql.segments, int64(min(n, maxSegments)))
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
	if err := cmp.Or(tokens.JoinInvalid(err, store.ValidatePage(limit)), ctx.Err()); err != nil {
		return nil, "", err
	}
	statement, args := s.sql.page, []any{string(left.After.UserID), string(left.After.DeviceID), int64(limit)}
	if left.Until != "" {
		statement, args = s.sql.pageUntil, append(args, string(left.Until))
	}
	rows, err := op.read(ctx, statement, args...)
	if err != nil {
		return nil, "", err
	}
	if len(rows) < limit {
		return records(rows), "", nil
	}
	left.After = rows[limit-1].key
	return records(rows), left.Cursor(), nil
}
