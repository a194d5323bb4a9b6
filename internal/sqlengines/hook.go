// Package sqlengines connects tests to PostgreSQL and SQLite, and tests sqlstore on both.
//
// [Postgres] and [SQLite] give a test a [Database] with a table of its own. A [Hook] stands between a pool and the
// driver: it counts, changes, delays or fails each statement. A [Wire] stands between pgx and the server: it counts round
// trips and cuts connections.
package sqlengines

import (
	"context"
	"database/sql/driver"
	"errors"
)

// A Hook is called instead of sending a statement to the database. text is the statement, or BEGIN, COMMIT or ROLLBACK.
// send sends this or another statement and returns when the database has executed it. The hook may omit the call of send,
// and may return another error.
type Hook func(ctx context.Context, text string, send func(ctx context.Context, text string) error) error

// hooked is a connector whose statements go through the hook.
type hooked struct {
	driver.Connector
	hook Hook
}

func (h hooked) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := h.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return conn{c, h.hook}, nil
}

// conn forwards the optional interfaces that both drivers implement.
type conn struct {
	driver.Conn
	hook Hook
}

var (
	_ driver.ConnBeginTx        = conn{}
	_ driver.ConnPrepareContext = conn{}
	_ driver.ExecerContext      = conn{}
	_ driver.QueryerContext     = conn{}
	_ driver.NamedValueChecker  = conn{}
	_ driver.Pinger             = conn{}
	_ driver.SessionResetter    = conn{}
	_ driver.Validator          = conn{}
)

// errPrepared: sqlstore lets the driver prepare what it sends, since a prepared statement would go around the hook.
var errPrepared = errors.New("sqlengines: no hook for prepared statements")

func (c conn) Prepare(string) (driver.Stmt, error) { return nil, errPrepared }

func (c conn) PrepareContext(context.Context, string) (driver.Stmt, error) { return nil, errPrepared }

func (c conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (result driver.Result, err error) {
	err = c.hook(ctx, query, func(ctx context.Context, text string) error {
		result, err = c.Conn.(driver.ExecerContext).ExecContext(ctx, text, args)
		return err
	})
	return result, err
}

func (c conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (rows driver.Rows, err error) {
	err = c.hook(ctx, query, func(ctx context.Context, text string) error {
		rows, err = c.Conn.(driver.QueryerContext).QueryContext(ctx, text, args)
		return err
	})
	if err != nil && rows != nil {
		return nil, errors.Join(err, rows.Close()) // the statement has been executed when this returns
	}
	return rows, err
}

func (c conn) BeginTx(ctx context.Context, opts driver.TxOptions) (t driver.Tx, err error) {
	begun := false
	err = c.hook(ctx, "BEGIN", func(ctx context.Context, _ string) error {
		t, err = c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
		begun = err == nil
		return err
	})
	if err != nil {
		if begun {
			_ = t.Rollback() // the pool goes on to use the connection
		}
		return nil, err
	}
	return tx{t, c.hook}, nil
}

func (c conn) Ping(ctx context.Context) error { return c.Conn.(driver.Pinger).Ping(ctx) }

func (c conn) ResetSession(ctx context.Context) error {
	return c.Conn.(driver.SessionResetter).ResetSession(ctx)
}

func (c conn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c conn) IsValid() bool {
	v, ok := c.Conn.(driver.Validator)
	return !ok || v.IsValid()
}

type tx struct {
	driver.Tx
	hook Hook
}

func (t tx) Commit() error {
	sent := false
	err := t.hook(context.Background(), "COMMIT", func(context.Context, string) error {
		sent = true
		return t.Tx.Commit()
	})
	if !sent {
		_ = t.Tx.Rollback() // as drivers do when a commit fails: the pool goes on to use the connection
	}
	return err
}

func (t tx) Rollback() error {
	return t.hook(context.Background(), "ROLLBACK", func(context.Context, string) error { return t.Tx.Rollback() })
}
