//go:build soak

package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/e2e"
	"github.com/devicetokens/devicetokens/httpapi"
)

var soakFor = flag.Duration("soak", 10*time.Second, "how long new bad clients come")

// mostResident is more memory than the process needs with maxConnections, in KiB.
const mostResident = 256 << 10

// TestSoak runs the server under good clients, then under good and bad clients, then
// under a crowd of silent connections. Good clients get right answers throughout. The
// server ends each bad connection itself, its memory stays bounded, no goroutine is
// left, and its log has no error and no token.
func TestSoak(t *testing.T) {
	usual := binary
	defer func() { binary = usual }()
	binary = filepath.Join(t.TempDir(), "local")
	if out, err := exec.Command("go", "build", "-tags", "debug", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p := start(t, "127.0.0.1:0", "-per-address", "0")                            // all clients here have one address
	urls := regexp.MustCompile(`http://[0-9.]+:[0-9]+`).FindAllString(p.text, 2) // of -tags debug, and of the service
	debug, url := urls[0], urls[1]
	good := func() { e2e.Run(t, url, func(user string) string { return user }) }

	good()
	http.DefaultClient.CloseIdleConnections()
	before := stateOf(t, debug)

	serving, stop := context.WithCancel(t.Context())
	var background sync.WaitGroup
	for range 20 {
		background.Go(func() {
			for serving.Err() == nil {
				good()
				time.Sleep(500 * time.Millisecond)
			}
		})
	}
	address := strings.TrimPrefix(url, "http://")
	var bad sync.WaitGroup
	misbehave := func(m misuse) {
		bad.Go(func() {
			if fault := m.connect(address); fault != "" {
				t.Errorf("%s: %s", m.name, fault)
			}
		})
	}
	coming, enough := context.WithTimeout(t.Context(), *soakFor)
	defer enough()
	for ticks := time.NewTicker(time.Second / 5); coming.Err() == nil; <-ticks.C {
		for _, m := range misuses {
			misbehave(m)
		}
	}
	bad.Wait()

	for range maxConnections + 900 {
		misbehave(silent)
	}
	most := 0
	for began := time.Now(); time.Since(began) < headerLimit-slack && most < maxConnections; {
		most = max(most, stateOf(t, debug).goroutines)
	}
	bad.Wait()
	stop()
	background.Wait()
	good()

	// One goroutine for each connection, and a few more.
	if most > maxConnections+before.goroutines+200 {
		t.Errorf("%d goroutines served the crowd, want at most one for each of %d connections", most, maxConnections)
	}
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid)) // on Linux only
	if peak := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status); peak != nil {
		if resident, _ := strconv.Atoi(string(peak[1])); resident > mostResident {
			t.Errorf("the process had %d KiB of memory, want at most %d", resident, mostResident)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	after := stateOf(t, debug)
	for end := time.Now().Add(15*time.Second + slack); after.goroutines > before.goroutines && time.Now().Before(end); after = stateOf(t, debug) {
		time.Sleep(200 * time.Millisecond)
	}
	if after.goroutines > before.goroutines {
		t.Errorf("%d goroutines are left, and %d were there before:\n%s", after.goroutines, before.goroutines, get(t, debug+"/debug/pprof/goroutine?debug=1"))
	}
	if after.heap > before.heap+before.heap/10+(4<<20) {
		t.Errorf("the heap holds %d KiB after the run, and held %d KiB before", after.heap>>10, before.heap>>10)
	}
	p.stop(t, syscall.SIGTERM)
	for _, text := range []string{"PushToken[", "panic", "level=ERROR"} {
		if strings.Contains(p.log.String(), text) {
			t.Errorf("the log has %q in it", text)
		}
	}
}

// A state is of the server; heap is in bytes, after a collection.
type state struct{ goroutines, heap int }

func stateOf(t *testing.T, debug string) state {
	t.Helper()
	number := func(profile, pattern string) int {
		n, err := strconv.Atoi(regexp.MustCompile(pattern + ` (\d+)`).FindStringSubmatch(get(t, debug+"/debug/pprof/"+profile))[1])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	get(t, debug+"/debug/pprof/heap?gc=1") // a sync.Pool keeps its objects for one more cycle
	return state{number("goroutine?debug=1", "goroutine profile: total"), number("heap?debug=1&gc=1", "# HeapAlloc =")}
}

// get uses a new connection, so that each request adds the same number of goroutines.
func get(t *testing.T, url string) string {
	t.Helper()
	_, text, err := ask(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, http.MethodGet, url, "", "")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The time-outs of limits.go, with slack for a busy machine.
const (
	slack       = 10 * time.Second
	headerLimit = 5*time.Second + slack
)

const (
	list = "GET " + httpapi.Path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer mallory\r\n"
	post = "POST " + httpapi.Path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer mallory\r\nContent-Type: application/json\r\n" +
		"Content-Length: 91\r\n\r\n"
	body = `{"deviceId":"mallorys-phone","expoPushToken":"ExponentPushToken[mallory]","platform":"ios"}`
)

// A misuse is one way to be a bad client, on a connection of its own.
type misuse struct {
	name  string
	limit time.Duration        // in which the server has to end the connection
	talk  func(c *net.TCPConn) // writes until the server ends the connection
}

// misuses are those that TestHeldConnectionsEnd cannot play on a connection in memory.
var misuses = []misuse{
	// Package net/http treats a client that closed its half as gone, and cancels the
	// request if it notices before the store is done.
	{"half-closed after a request", slack, func(c *net.TCPConn) {
		send(c, post+body)
		_ = c.CloseWrite()
	}},
	{"aborted in the body", slack, func(c *net.TCPConn) {
		send(c, post+body[:20])
		_ = c.SetLinger(0)
		_ = c.Close()
	}},
	{"headers without an end", headerLimit, func(c *net.TCPConn) {
		line := "X-More: " + strings.Repeat("x", 4000) + "\r\n"
		for ok := send(c, list); ok; ok = send(c, line) {
		}
	}},
}

// silent is one of a crowd, most of whom wait for a connection of others to end.
var silent = misuse{"a crowd", 2 * headerLimit, func(*net.TCPConn) {}}

// send reports whether the connection took the text.
func send(c io.Writer, text string) bool {
	_, err := io.WriteString(c, text)
	return err == nil
}

// connect opens a connection and misuses it until its end. It returns the server's
// fault, or "".
func (m misuse) connect(address string) string {
	dialled, err := net.DialTimeout("tcp", address, 2*headerLimit)
	if err != nil {
		return "not connected"
	}
	c := dialled.(*net.TCPConn)
	began := time.Now()
	_ = c.SetDeadline(began.Add(m.limit))
	var talking sync.WaitGroup
	talking.Go(func() { m.talk(c) })
	_, _ = io.Copy(io.Discard, c)
	held := time.Since(began)
	_ = c.Close()
	talking.Wait()
	if held >= m.limit {
		return fmt.Sprintf("not ended after %s", m.limit)
	}
	return ""
}

// TestBadClientsComplain has a server without any time-out.
func TestBadClientsComplain(t *testing.T) {
	patient := httptest.NewServer(http.NotFoundHandler())
	defer patient.Close()
	silent.limit = 200 * time.Millisecond
	if fault := silent.connect(strings.TrimPrefix(patient.URL, "http://")); !strings.HasPrefix(fault, "not ended") {
		t.Errorf("fault is %q", fault)
	}
}
