package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// A misuse is one way to be a bad client, on a connection of its own.
type misuse struct {
	name      string
	perSecond int
	// limit is by when the server has to have ended the connection, whatever
	// the client does: the time-out of examples/local that is for it.
	limit time.Duration
	// answers are the right statuses of the first answer; 0 is none.
	answers []int
	// talk writes to the connection, until the server ends that. It does not
	// read, and does not close.
	talk func(c *net.TCPConn)
	// mute is a client that reads no answer, rude one that ends the connection
	// itself, and patient one that does so where the run ends before limit.
	mute, rude, patient bool
}

// The time-outs of examples/local, with slack for a busy machine: how long the
// connections lasted is among the figures.
const (
	slack       = 10 * time.Second
	headerLimit = 5*time.Second + slack
	bodyLimit   = 10*time.Second + slack
	writeLimit  = 15*time.Second + slack
	idleLimit   = 2*time.Minute + slack
	promptly    = slack
)

const (
	post = "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer mallory\r\nContent-Type: application/json\r\n"
	list = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer mallory\r\n\r\n"
	// longList asks for the longest list that there is, of several KiB.
	longList = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer hoarder\r\n\r\n"
	body     = `{"deviceId":"mallorys-phone","expoPushToken":"ExponentPushToken[mallory]","platform":"ios"}`
)

// misuses are all that a bad client does here, besides the floods.
var misuses = []misuse{
	{
		name: "a connection without a request", perSecond: 10, limit: headerLimit, answers: []int{0},
		talk: func(*net.TCPConn) {},
	},
	{
		name: "slow headers", perSecond: 10, limit: headerLimit, answers: []int{0},
		talk: func(c *net.TCPConn) { drip(c, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n", "X-More: x\r\n") },
	},
	{
		name: "a slow body", perSecond: 10, limit: bodyLimit, answers: []int{http.StatusBadRequest},
		talk: func(c *net.TCPConn) { drip(c, post+"Content-Length: 1000\r\n\r\n{", " ") },
	},
	{
		name: "a body that stops", perSecond: 10, limit: bodyLimit, answers: []int{http.StatusBadRequest},
		talk: func(c *net.TCPConn) { send(c, post+length(body)+body[:20]) },
	},
	{
		// Package net/http takes a client that closed its half for one that is
		// gone, and cancels the request if it notices before the store is done.
		name: "half-closed after a request", perSecond: 10, limit: promptly,
		answers: []int{http.StatusOK, http.StatusCreated, http.StatusServiceUnavailable},
		talk:    func(c *net.TCPConn) { send(c, post+length(body)+body); _ = c.CloseWrite() },
	},
	{
		name: "half-closed in the body", perSecond: 10, limit: promptly, answers: []int{http.StatusBadRequest},
		talk: func(c *net.TCPConn) { send(c, post+length(body)+body[:20]); _ = c.CloseWrite() },
	},
	{
		name: "half-closed in the headers", perSecond: 10, limit: promptly, answers: []int{0, http.StatusBadRequest},
		talk: func(c *net.TCPConn) { send(c, post); _ = c.CloseWrite() },
	},
	{
		name: "aborted in the body", perSecond: 10, limit: promptly, answers: []int{0}, rude: true,
		talk: func(c *net.TCPConn) { send(c, post+length(body)+body[:20]); _ = c.SetLinger(0); _ = c.Close() },
	},
	{
		// The server hangs up while the client still writes, which may cost
		// the client the answer; so it may below.
		name: "a body of 1 MiB", perSecond: 2, limit: promptly, answers: []int{http.StatusRequestEntityTooLarge, 0},
		talk: func(c *net.TCPConn) { send(c, post+"Content-Length: 1048576\r\n\r\n", strings.Repeat("x", 1<<20)) },
	},
	{
		name: "a body without an end", perSecond: 2, limit: bodyLimit, answers: []int{http.StatusRequestEntityTooLarge, 0},
		talk: func(c *net.TCPConn) {
			chunk := "4000\r\n" + strings.Repeat("x", 0x4000) + "\r\n"
			for ok := send(c, post+"Transfer-Encoding: chunked\r\n\r\n"); ok; ok = send(c, chunk) {
			}
		},
	},
	{
		name: "headers without an end", perSecond: 2, limit: headerLimit, answers: []int{http.StatusRequestHeaderFieldsTooLarge, 0},
		talk: func(c *net.TCPConn) {
			line := "X-More: " + strings.Repeat("x", 4000) + "\r\n"
			for ok := send(c, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n"); ok; ok = send(c, line) {
			}
		},
	},
	{
		name: "no HTTP at all", perSecond: 2, limit: promptly, answers: []int{http.StatusBadRequest},
		talk: func(c *net.TCPConn) { send(c, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n") },
	},
	{
		// The time-out counts from the request whose answer no longer fits.
		name: "answers that are not read", perSecond: 1, limit: 2 * writeLimit, answers: []int{0}, mute: true,
		talk: func(c *net.TCPConn) {
			for send(c, strings.Repeat(longList, 10)) {
			}
		},
	},
	{
		name: "idle after an answer", perSecond: 5, limit: idleLimit, answers: []int{http.StatusOK}, patient: true,
		talk: func(c *net.TCPConn) { send(c, list) },
	},
}

// crowd is so many silent connections at once that the server has to let some of
// them wait: those get its attention when the first have run out of time.
var crowd = misuse{
	name: "5,000 connections at once", limit: 2 * headerLimit, answers: []int{0},
	talk: func(*net.TCPConn) {},
}

const (
	crowdSize = 5000
	// mostConnections is how many examples/local serves at once.
	mostConnections = 4096
)

// send writes the texts and reports whether the connection took them.
func send(c io.Writer, texts ...string) bool {
	for _, text := range texts {
		if _, err := io.WriteString(c, text); err != nil {
			return false
		}
	}
	return true
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
