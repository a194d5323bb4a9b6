package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"
)

// A tally is what became of one kind of misuse.
type tally struct {
	misuse
	mu          sync.Mutex
	connections int
	statuses    map[int]int // of the first answers; 0 is none
	byServer    int         // ended by the server
	byClient    int         // ended by the client, as it is part of the misuse or the run is over
	overdue     int         // not ended by the server when it had to be
	longest     time.Duration
	undialled   int
}

// misbehave opens connections at the misuse's rate until ctx is done, and waits
// until they have ended: those that idle are ended when hangUp is.
func (t *tally) misbehave(ctx, hangUp context.Context, address string) {
	var running sync.WaitGroup
	// Not all kinds at the same moment.
	every := time.Second / time.Duration(t.perSecond)
	select {
	case <-time.After(rand.N(every)):
	case <-ctx.Done():
	}
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			running.Wait()
			return
		case <-ticks.C:
			running.Go(func() { t.connect(hangUp, address) })
		}
	}
}

// connect is one connection of a bad client, from its beginning to its end.
func (t *tally) connect(hangUp context.Context, address string) {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	if t.mute {
		dialer.Control = narrow
	}
	dialled, err := dialer.DialContext(context.WithoutCancel(hangUp), "tcp", address)
	if err != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.undialled++
		return
	}
	c := dialled.(*net.TCPConn)
	began := time.Now()
	// What the server has not ended by then, it was to have ended.
	_ = c.SetDeadline(began.Add(t.limit))
	if t.patient {
		stop := context.AfterFunc(hangUp, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
		defer stop()
	}

	var talking sync.WaitGroup
	talking.Go(func() { t.talk(c) })
	status := 0
	if t.mute {
		talking.Wait()
	} else {
		status = readAnswers(c)
	}
	held := time.Since(began)
	_ = c.Close()
	talking.Wait()

	t.mu.Lock()
	defer t.mu.Unlock()
	t.connections++
	hungUp := t.patient && hangUp.Err() != nil
	if status != 0 || !hungUp { // the run may end before the answer comes
		t.statuses[status]++
	}
	t.longest = max(t.longest, held)
	switch {
	case held >= t.limit:
		t.overdue++
	case t.rude || hungUp:
		t.byClient++
	default:
		t.byServer++
	}
}

// narrow makes a connection over loopback one over a network: with packets of
// its size, the system buffers no megabytes of answers that nobody reads.
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

// readAnswers reads all that the server says, and returns the status of the first
// answer, or 0 if there was none.
func readAnswers(c net.Conn) (first int) {
	r := bufio.NewReader(c)
	for {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return first
		}
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if first == 0 {
			first = resp.StatusCode
		}
		if err != nil {
			return first
		}
	}
}

// problems says what the server did wrong; nil if nothing.
func (t *tally) problems() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []string
	complain := func(format string, args ...any) { all = append(all, t.name+": "+fmt.Sprintf(format, args...)) }
	if t.connections == 0 {
		complain("no connection was made")
	}
	if t.undialled > 0 {
		complain("%d connections were not taken", t.undialled)
	}
	if t.overdue > 0 {
		complain("the server had not ended %d of %d connections after %s", t.overdue, t.connections, t.limit)
	}
	for status, n := range t.statuses {
		if !slices.Contains(t.answers, status) {
			complain("%d were answered with %d, want one of %v", n, status, t.answers)
		}
	}
	slices.Sort(all)
	return all
}
