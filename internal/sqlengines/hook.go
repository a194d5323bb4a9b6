// Package sqlengines connects tests to PostgreSQL and SQLite, and tests sqlstore on both.
//
// [Postgres] and [SQLite] give a test a [Database] with a table of its own. A [Hook] stands between a pool and the
// driver: it counts, changes, delays or fails each statement. A [Wire] stands between pgx and the server: it counts round
// trips and cuts connections.
package sqlengines

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"net"
	"sync"

	"github.com/jackc/pgx/v5"
)

// A Hook is called instead of sending a statement to the database. text is the statement, BEGIN or COMMIT.
// The hook may omit the call of send, may send another text, and may return another error. A rollback passes without it,
// because a driver keeps no connection whose rollback failed.
type Hook func(ctx context.Context, text string, send Send) error

// Send sends a statement and returns when the database has executed it.
type Send = func(ctx context.Context, text string) error

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
	_ driver.ConnBeginTx       = conn{}
	_ driver.ExecerContext     = conn{}
	_ driver.QueryerContext    = conn{}
	_ driver.NamedValueChecker = conn{}
	_ driver.SessionResetter   = conn{}
	_ driver.Validator         = conn{}
)

// A prepared statement would go around the hook, and sqlstore prepares none.
var errPrepared = errors.New("sqlengines: no hook for prepared statements")

func (c conn) Prepare(string) (driver.Stmt, error) { return nil, errPrepared }

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

// A Wire is all connections between a pool and PostgreSQL. It counts requests and cuts connections.
type Wire struct {
	// Cut decides the fate of a request, which is in PostgreSQL's protocol. If it is nil, every request passes.
	Cut func(request []byte) Fate

	mu       sync.Mutex
	requests int
}

// A Fate is how a request ends.
type Fate int

// The fates of a request.
const (
	Pass      Fate = iota
	CutBefore      // the connection ends before the server receives the request
	CutAfter       // the server executes the request, and its response is lost
	CutDuring      // the connection ends when the request is sent
)

// Through makes pgx connect through the wire.
func (w *Wire) Through(c *pgx.ConnConfig) {
	c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &line{Conn: conn, wire: w}, nil
	}
}

// Requests returns the number of requests with a statement. Each is a round trip, because pgx writes a request at once and
// then waits for the response.
func (w *Wire) Requests() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests
}

type line struct {
	net.Conn
	wire *Wire

	mu   sync.Mutex
	lose bool // the next response
}

var errCut = errors.New("the connection is cut")

func (l *line) Write(request []byte) (int, error) {
	if !isStatement(request) {
		return l.Conn.Write(request)
	}
	l.wire.mu.Lock()
	l.wire.requests++
	fate := Pass
	if l.wire.Cut != nil {
		fate = l.wire.Cut(request)
	}
	l.wire.mu.Unlock()
	switch fate {
	case CutBefore:
		return 0, errors.Join(errCut, l.Close()) // pgx detects that nothing was written
	case CutDuring:
		n, err := l.Conn.Write(request)
		return n, errors.Join(err, l.Close())
	case CutAfter:
		l.mu.Lock()
		l.lose = true
		l.mu.Unlock()
	}
	return l.Conn.Write(request)
}

// isStatement reports whether a request has a statement. A request to connect begins with its length, and pgx pings a
// connection that was idle for a second.
func isStatement(request []byte) bool {
	const terminate = 'X'
	return len(request) > 0 && request[0] != 0 && request[0] != terminate && !bytes.HasSuffix(request, []byte("-- ping\x00"))
}

func (l *line) Read(response []byte) (int, error) {
	n, err := l.Conn.Read(response)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lose {
		clear(response[:n])
		return 0, errors.Join(errCut, l.Close())
	}
	return n, err
}
