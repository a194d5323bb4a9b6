package sqlengines

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"

	"github.com/jackc/pgx/v5"
)

// A Wire is all connections between a pool and Postgres. It counts the requests that go out, and cuts connections.
type Wire struct {
	// Cut decides what becomes of a request, which is in the protocol of Postgres. It is nil if no connection is cut.
	Cut func(request []byte) Fate

	mu       sync.Mutex
	requests int
}

// A Fate is what becomes of a request.
type Fate int

// The fates of a request.
const (
	Pass      Fate = iota
	CutBefore      // the server never gets it
	CutAfter       // the server answers it, and the answer is lost
	CutDuring      // the server gets it, and nothing waits for the answer
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

// Requests returns how many requests went out. Each is a round trip: pgx writes what it has to say at once, and then
// waits for the answer. To connect, to ping and to disconnect is none.
func (w *Wire) Requests() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests
}

// line is one connection.
type line struct {
	net.Conn
	wire *Wire

	mu   sync.Mutex
	lose bool // the next answer
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
		return 0, errors.Join(errCut, l.Close()) // pgx sees that nothing was written
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

// isStatement reports whether a request is about a statement. Those to connect begin with their length, and pgx pings a
// connection that was idle for a second.
func isStatement(request []byte) bool {
	const terminate = 'X'
	return len(request) > 0 && request[0] != 0 && request[0] != terminate && !bytes.HasSuffix(request, []byte("-- ping\x00"))
}

func (l *line) Read(answer []byte) (int, error) {
	n, err := l.Conn.Read(answer)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lose {
		clear(answer[:n])
		return 0, errors.Join(errCut, l.Close())
	}
	return n, err
}
