package main

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

const (
	// maxConnections are served at once. Each takes some tens of KiB, so memory is
	// bounded. Further connections wait in the operating system's queue.
	maxConnections = 4096

	// maxPerAddress is the number of connections that one client address may hold, so
	// that one host cannot take all of them. Many phones may share an address.
	maxPerAddress = 256
)

// withLimits returns a server with time-outs for every way of holding a connection
// without using it. An app sends a few hundred bytes at once.
func withLimits(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,  // slow or no headers
		ReadTimeout:       10 * time.Second, // a slow body
		WriteTimeout:      15 * time.Second, // a client that reads its answer slowly
		IdleTimeout:       15 * time.Second, // no next request
		MaxHeaderBytes:    16 << 10,
	}
}

// limited returns the listener with both limits. With perAddress 0 addresses have no
// limit, because behind a proxy all connections have the proxy's address.
func limited(listener net.Listener, perAddress uint) net.Listener {
	if perAddress > 0 {
		listener = &addressListener{Listener: listener, most: int(perAddress), open: map[netip.Prefix]int{}}
	}
	return netutil.LimitListener(listener, maxConnections)
}

// An addressListener closes a connection at once if its client address has too many.
type addressListener struct {
	net.Listener
	most int

	mu   sync.Mutex
	open map[netip.Prefix]int
}

func (l *addressListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		client := clientOf(conn.RemoteAddr())
		if l.take(client) {
			return &countedConn{Conn: conn, release: sync.OnceFunc(func() { l.release(client) })}, nil
		}
		_ = conn.Close()
	}
}

func (l *addressListener) take(client netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[client] == l.most {
		return false
	}
	l.open[client]++
	return true
}

func (l *addressListener) release(client netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[client]--; l.open[client] == 0 {
		delete(l.open, client)
	}
}

// clientOf returns the addresses that count as one client: an IPv4 address, or the first
// 64 bits of an IPv6 address, because one host may use all addresses with those.
func clientOf(remote net.Addr) netip.Prefix {
	port, err := netip.ParseAddrPort(remote.String())
	if err != nil {
		return netip.Prefix{} // not TCP: all of these count as one
	}
	addr := port.Addr().Unmap().WithZone("")
	client, _ := addr.Prefix(min(addr.BitLen(), 64))
	return client
}

// A countedConn counts as open until it is closed.
type countedConn struct {
	net.Conn
	release func()
}

func (c *countedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
