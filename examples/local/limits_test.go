package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
)

const request = "GET /v1/device-tokens HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer alice\r\n\r\n"

// A pipes is a listener with connections in memory, which synctest can wait for.
type pipes struct {
	incoming chan net.Conn
	ctx      context.Context
	stop     context.CancelFunc
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.incoming:
		return conn, nil
	case <-p.ctx.Done():
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.stop()
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080} }

// A client is both ends of a connection.
type client struct {
	net.Conn
	server *serverEnd
}

type serverEnd struct {
	net.Conn
	remote net.Addr
	closed context.Context // done when the server has closed the connection
	close  context.CancelFunc
}

func (s *serverEnd) RemoteAddr() net.Addr { return s.remote }

func (s *serverEnd) Close() error {
	s.close()
	return s.Conn.Close()
}

func (p *pipes) dial(from string) client {
	ours, theirs := net.Pipe()
	end := &serverEnd{Conn: theirs, remote: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))}
	end.closed, end.close = context.WithCancel(context.Background())
	p.incoming <- end
	return client{ours, end}
}

// answered sends a request and returns the status of its answer.
func (c client) answered(t *testing.T) int {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}

// serving runs the test beside the server, both in a bubble of synctest.
func serving(t *testing.T, perAddress uint, test func(t *testing.T, p *pipes)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(context.Background())
		p := &pipes{incoming: make(chan net.Conn)}
		p.ctx, p.stop = context.WithCancel(context.Background())
		logger := slog.New(slog.DiscardHandler)
		served := make(chan error)
		go func() {
			db := &database.Database{Store: memstore.MustNew(store.Policy{})}
			handler, _ := newHandler(ctx, db, nil, false, logger)
			served <- serve(ctx, limited(p, perAddress), handler, logger)
		}()
		test(t, p)
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// One host that opens as many connections as it can does not block other hosts, and is
// served again once it closes them.
func TestOneHostCannotTakeAllConnections(t *testing.T) {
	serving(t, maxPerAddress, func(t *testing.T, p *pipes) {
		var held []client
		for i := range maxConnections + 54 {
			// One IPv6 host has all the addresses of its network.
			held = append(held, p.dial(fmt.Sprintf("[2001:db8::%x]:1024", i)))
		}
		if status := p.dial("192.0.2.1:1024").answered(t); status != http.StatusOK {
			t.Errorf("another host is answered %d while one holds connections", status)
		}
		refused := 0
		for _, c := range held {
			if c.server.closed.Err() != nil {
				refused++
			}
		}
		if want := len(held) - maxPerAddress; refused != want {
			t.Errorf("%d connections of the host were refused, want %d", refused, want)
		}
		for _, c := range held {
			_ = c.Close()
		}
		synctest.Wait()
		if status := p.dial("[2001:db8::1]:1024").answered(t); status != http.StatusOK {
			t.Errorf("the host is answered %d after it has closed its connections", status)
		}
	})
}

// Behind a proxy all connections have one address.
func TestNoLimitForEachAddress(t *testing.T) {
	serving(t, 0, func(t *testing.T, p *pipes) {
		for range maxPerAddress + 1 {
			if status := p.dial("192.0.2.1:1024").answered(t); status != http.StatusOK {
				t.Fatalf("status is %d", status)
			}
		}
	})
}

func TestHeldConnectionsEnd(t *testing.T) {
	slowly := func(c client) {
		for {
			select {
			case <-time.After(time.Second):
				_, _ = io.WriteString(c, "x")
			case <-c.server.closed.Done():
				return
			}
		}
	}
	drain := func(c client) { _, _ = io.Copy(io.Discard, c) }
	const post = "POST /v1/device-tokens HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer alice\r\n" +
		"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
	for _, test := range []struct {
		name  string
		holds func(t *testing.T, c client)
		want  time.Duration
	}{
		{"sends nothing", func(*testing.T, client) {}, 5 * time.Second},
		{"sends its headers slowly", func(_ *testing.T, c client) {
			_, _ = io.WriteString(c, "GET /v1/device-tokens HTTP/1.1\r\nX-Slow: ")
			go slowly(c)
		}, 5 * time.Second},
		{"sends its body slowly", func(_ *testing.T, c client) {
			_, _ = io.WriteString(c, post)
			go drain(c)
			go slowly(c)
		}, 10 * time.Second},
		{"never reads its answer", func(_ *testing.T, c client) { _, _ = io.WriteString(c, request) }, 15 * time.Second},
		{"sends no second request", func(t *testing.T, c client) { c.answered(t) }, 15 * time.Second},
		{"sends its second request slowly", func(t *testing.T, c client) {
			c.answered(t)
			go drain(c)
			go slowly(c)
		}, 9 * time.Second}, // net/http's time for headers begins with the fourth byte
	} {
		t.Run(test.name, func(t *testing.T) {
			serving(t, maxPerAddress, func(t *testing.T, p *pipes) {
				began := time.Now()
				c := p.dial("192.0.2.1:1024")
				test.holds(t, c)
				<-c.server.closed.Done()
				// The server may take half a second more, for its last answer to arrive.
				if got := time.Since(began).Truncate(time.Second); got != test.want {
					t.Errorf("the connection ended after %v, want %v", got, test.want)
				}
				_ = c.Close()
			})
		})
	}
}
