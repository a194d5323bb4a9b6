//go:build soak

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/httpapi"
)

// The time-outs of limits.go, with slack for a busy machine.
const (
	slack       = 10 * time.Second
	headerLimit = 5*time.Second + slack
	bodyLimit   = 10*time.Second + slack
	writeLimit  = 15*time.Second + slack
	promptly    = slack
)

const (
	get  = "GET " + httpapi.Path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer mallory\r\n"
	post = "POST " + httpapi.Path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer mallory\r\nContent-Type: application/json\r\n"
	body = `{"deviceId":"mallorys-phone","expoPushToken":"ExponentPushToken[mallory]","platform":"ios"}`
)

// A misuse is one way to be a bad client, on a connection of its own.
type misuse struct {
	name string
	// limit is the time in which the server has to end the connection.
	limit time.Duration
	// answers are the right statuses of the first answer; 0 is none.
	answers []int
	// talk writes to the connection until the server ends it.
	talk func(c *net.TCPConn)
	mute bool // reads no answer
}

// misuses each found a fault of this server, or show that one of its limits
// works.
var misuses = []misuse{
	{"slow headers", headerLimit, []int{0}, func(c *net.TCPConn) { drip(c, get, "X-More: x\r\n") }, false},
	{"a slow body", bodyLimit, []int{http.StatusBadRequest}, func(c *net.TCPConn) {
		drip(c, post+"Content-Length: 1000\r\n\r\n{", " ")
	}, false},
	// Package net/http takes a client that closed its half for one that is gone,
	// and cancels the request if it notices before the store is done.
	{"half-closed after a request", promptly, []int{http.StatusOK, http.StatusCreated, http.StatusServiceUnavailable}, func(c *net.TCPConn) {
		send(c, post+length(body)+body)
		_ = c.CloseWrite()
	}, false},
	{"aborted in the body", promptly, []int{0}, func(c *net.TCPConn) {
		send(c, post+length(body)+body[:20])
		_ = c.SetLinger(0)
		_ = c.Close()
	}, false},
	// The server hangs up while the client still writes, which may cost the
	// client the answer.
	{"headers without an end", headerLimit, []int{http.StatusRequestHeaderFieldsTooLarge, 0}, func(c *net.TCPConn) {
		line := "X-More: " + strings.Repeat("x", 4000) + "\r\n"
		for ok := send(c, get); ok; ok = send(c, line) {
		}
	}, false},
	// The time-out counts from the request whose answer no longer fits.
	{"answers that are not read", 2 * writeLimit, []int{0}, func(c *net.TCPConn) {
		for send(c, strings.Repeat(get+"\r\n", 100)) {
		}
	}, true},
}

// send reports whether the connection took the text.
func send(c io.Writer, text string) bool {
	_, err := io.WriteString(c, text)
	return err == nil
}

// drip sends the beginning, and then more of it twice a second until the
// connection takes no more.
func drip(c io.Writer, beginning, more string) {
	ticks := time.NewTicker(time.Second / 2)
	defer ticks.Stop()
	for ok := send(c, beginning); ok; ok = send(c, more) {
		<-ticks.C
	}
}

func length(body string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) }

// A tally is how connections of one misuse ended.
type tally struct {
	misuse
	mu          sync.Mutex
	connections int
	statuses    map[int]int // of the first answers; 0 is none
	overdue     int         // not ended by the server in time
	longest     time.Duration
}

// come opens five connections a second until ctx is done, and waits for their end.
func (t *tally) come(ctx context.Context, address string) {
	var running sync.WaitGroup
	defer running.Wait()
	ticks := time.NewTicker(time.Second / 5)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			running.Go(func() { t.connect(address) })
		}
	}
}

// connect is one connection of a bad client, from its beginning to its end.
func (t *tally) connect(address string) {
	dialer := net.Dialer{Timeout: 2 * headerLimit}
	if t.mute {
		dialer.Control = narrow
	}
	dialled, err := dialer.Dial("tcp", address)
	if err != nil {
		t.note(-1, 0) // not connected
		return
	}
	c := dialled.(*net.TCPConn)
	began, status := time.Now(), 0
	_ = c.SetDeadline(began.Add(t.limit))
	var talking sync.WaitGroup
	talking.Go(func() { t.talk(c) })
	if t.mute {
		talking.Wait()
	} else {
		status = firstStatus(c)
	}
	t.note(status, time.Since(began))
	_ = c.Close()
	talking.Wait()
}

func (t *tally) note(status int, held time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.connections++
	t.statuses[status]++
	t.longest = max(t.longest, held)
	if held >= t.limit {
		t.overdue++
	}
}

// narrow gives a loopback connection the packets and buffers of a network, so
// that the system does not buffer megabytes of answers.
func narrow(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = errors.Join(
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 1400),
			syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10),
		)
	})
	return errors.Join(err, failed)
}

// firstStatus reads until the connection ends, and returns the status of the
// first answer, or 0 if there was none.
func firstStatus(c net.Conn) int {
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close() // reads the rest of it
	_, _ = io.Copy(io.Discard, r)
	return resp.StatusCode
}

// problems says what the server did wrong.
func (t *tally) problems() (all []string) {
	complain := func(format string, args ...any) { all = append(all, t.name+": "+fmt.Sprintf(format, args...)) }
	if t.connections == 0 {
		complain("no connection was made")
	}
	if t.overdue > 0 {
		complain("the server had not ended %d of %d connections after %s", t.overdue, t.connections, t.limit)
	}
	for status, n := range t.statuses {
		if !slices.Contains(t.answers, status) {
			complain("%d were answered with %d, want one of %v", n, status, t.answers)
		}
	}
	return all
}

// TestBadClientsComplain has a server without any time-out.
func TestBadClientsComplain(t *testing.T) {
	patient := httptest.NewServer(http.NotFoundHandler())
	defer patient.Close()
	held := 0
	for _, m := range misuses {
		m.limit = 200 * time.Millisecond
		tl := &tally{misuse: m, statuses: map[int]int{}}
		tl.connect(strings.TrimPrefix(patient.URL, "http://"))
		if strings.Contains(strings.Join(tl.problems(), "\n"), "had not ended 1 of 1") {
			held++
		}
	}
	if held < 3 {
		t.Errorf("%d kinds of bad clients complain of a server without time-outs, want 3 or more", held)
	}
}
