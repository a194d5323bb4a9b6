package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// An operation is one call of a method. It counts its statements and classifies their errors.
type operation struct {
	store  *Store
	event  store.Event
	start  time.Time
	writes bool // after an error, the write may have been applied
}

func (s *Store) beginRead(name store.Operation) *operation {
	return &operation{store: s, event: store.Event{Operation: name}, start: time.Now()}
}

func (s *Store) beginWrite(name store.Operation) *operation {
	return &operation{store: s, event: store.Event{Operation: name}, start: time.Now(), writes: true}
}

// end calls the observer. It uses outcome if err is nil.
func (op *operation) end(outcome store.Outcome, err error) {
	if op.store.observe != nil {
		op.store.observe(op.event.Ended(op.start, outcome, err))
	}
}

func (op *operation) noteCorrupt(k tokens.Key) { op.event.Corrupt = append(op.event.Corrupt, k) }

type session interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// exec returns the number of rows that the statement changed.
func (op *operation) exec(ctx context.Context, in session, statement string, args ...any) (int64, error) {
	op.event.Calls++
	result, err := in.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, op.failed(ctx, err)
	}
	changed, err := result.RowsAffected()
	if err != nil {
		return 0, op.failed(ctx, err)
	}
	return changed, nil
}

var errColumns = errors.New("sqlstore: the table's columns have other types than those of Dialect.Schema")

func (op *operation) query(ctx context.Context, in session, scan func(*sql.Rows) error, statement string, args ...any) error {
	op.event.Calls++
	rows, err := in.QueryContext(ctx, statement, args...)
	if err != nil {
		return op.failed(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			if ctx.Err() != nil {
				return op.failed(ctx, err)
			}
			// The text of a scan's error has the value, so it is not wrapped.
			return errors.Join(store.ErrMisconfigured, errColumns)
		}
	}
	if err := rows.Err(); err != nil {
		return op.failed(ctx, err)
	}
	return nil
}

func (op *operation) read(ctx context.Context, invalid error, statement string, args ...any) (rows []row, err error) {
	if err := cmp.Or(invalid, ctx.Err()); err != nil {
		return nil, err
	}
	err = op.repeat(ctx, func() error {
		rows, err = op.rows(ctx, op.store.db, statement, args...)
		return err
	})
	return rows, err
}

func (op *operation) rows(ctx context.Context, in session, statement string, args ...any) ([]row, error) {
	var rows []row
	err := op.query(ctx, in, func(r *sql.Rows) error {
		scanned, err := scanRow(r)
		rows = append(rows, scanned)
		return err
	}, statement, args...)
	return rows, err
}

// write waits for this store's other writes if the database has one write lock.
func (op *operation) write(ctx context.Context, try func() error) error {
	if op.store.writing != nil {
		select {
		case op.store.writing <- struct{}{}:
			defer func() { <-op.store.writing }()
		case <-ctx.Done():
			return op.endedBetween(ctx.Err())
		}
	}
	return op.repeat(ctx, func() error {
		op.event.Attempts++
		return try()
	})
}

func (op *operation) endedBetween(ctxErr error) error {
	return &StatementError{Operation: op.event.Operation, matches: op.contextEnded(ctxErr), err: ctxErr}
}

const (
	maxTries = 10
	// maxBusy is the maximum time that a call waits for SQLite's write lock.
	maxBusy = 5 * time.Second

	firstWait = 2 * time.Millisecond
	maxWait   = 100 * time.Millisecond
)

// repeat calls try until its error is not repeatable, for at most maxBusy. Unless
// the database has one write lock, it gives up after maxTries.
func (op *operation) repeat(ctx context.Context, try func() error) error {
	begin := time.Now()
	for n := 1; ; n++ {
		err := try()
		var failed *StatementError
		if !errors.As(err, &failed) || !failed.repeat || time.Since(begin) > maxBusy || n >= maxTries && !op.store.dialect.oneWriter {
			return err
		}
		// Jitter, so that two callers that conflicted do not conflict again.
		wait := min(firstWait<<min(n, 10), maxWait)
		timer := time.NewTimer(wait/2 + rand.N(wait/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return op.endedBetween(ctx.Err())
		}
	}
}

// locked runs do in a transaction that holds the locks of the user and the token.
// do may run several times.
func (op *operation) locked(ctx context.Context, user tokens.UserID, h tokens.Hash, do func(tx *sql.Tx) error) error {
	var numbers []any
	if !op.store.dialect.oneWriter {
		numbers = lockNumbers(op.store.table, user, h)
	}
	return op.write(ctx, func() error {
		op.event.Calls++
		tx, err := op.store.db.BeginTx(ctx, op.store.dialect.options)
		if err != nil {
			return op.failed(ctx, err)
		}
		defer tx.Rollback() // after a commit it does nothing
		if _, err := op.exec(ctx, tx, op.store.sql[op.store.dialect.lock], numbers...); err != nil {
			return err
		}
		if err := do(tx); err != nil {
			return err
		}
		op.event.Calls++
		if err := tx.Commit(); err != nil {
			return op.failed(ctx, err)
		}
		return nil
	})
}
