package dynamotest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The files of an engine, in its folder.
const (
	addressFile = "address" // where it answers
	usedFile    = "used"    // touched by the test binaries that use it; its removal ends the engine
	lockFile    = "lock"    // held by a test binary that looks for the engine or starts it
	logFile     = "log"     // what the engine printed
)

// keeper runs the engine in the background until no test binary has touched the
// file $1 for five minutes, or until that file is gone. It ignores the signals of
// the terminal in which the tests run.
const keeper = `
trap '' HUP INT QUIT
used=$1
shift
"$@" &
engine=$!
while kill -0 "$engine" 2>/dev/null; do
	[ -n "$(find "$used" -mmin -5 2>/dev/null)" ] || kill -9 "$engine"
	sleep 1
done`

// A start takes two seconds on an idle machine; several at once on a busy one take much longer.
const startDeadline = 2 * time.Minute

// share returns the URL of the engine of the folder state. It starts the engine in
// lib where none answers yet; of several callers at once, in any processes, one
// does so and the others wait for it.
func share(lib, state string) (string, error) {
	unlock, err := lock(filepath.Join(state, lockFile))
	if err != nil {
		return "", err
	}
	defer unlock()
	used := filepath.Join(state, usedFile)
	if err := touch(used); err != nil { // first, so that the engine that is found does not end meanwhile
		return "", err
	}
	address, err := os.ReadFile(filepath.Join(state, addressFile))
	if err == nil && answers(string(address)) {
		return "http://" + string(address), nil
	}
	addr, err := start(lib, state)
	if err != nil {
		return "", err
	}
	return "http://" + addr, os.WriteFile(filepath.Join(state, addressFile), []byte(addr), 0o644)
}

func touch(name string) error {
	return os.WriteFile(name, nil, 0o644)
}

// start starts an engine on a free port and returns its address once it answers.
func start(lib, state string) (string, error) {
	for attempt := 1; ; attempt++ {
		addr, err := freeAddress()
		if err != nil {
			return "", err
		}
		output, err := startAt(addr, lib, state)
		if err == nil {
			return addr, nil
		}
		// Another process can take the port between our look and the engine's.
		if attempt == 3 || !strings.Contains(output, "Failed to bind") {
			return "", fmt.Errorf("DynamoDB Local: %w; its output:\n%s", err, output)
		}
	}
}

// startAt returns the engine's output if it does not come to answer.
func startAt(addr, lib, state string) (output string, err error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	printed, err := os.Create(filepath.Join(state, logFile))
	if err != nil {
		return "", err
	}
	defer printed.Close()
	used := filepath.Join(state, usedFile)
	cmd := exec.Command("sh", "-c", keeper, "sh", used,
		// Java's second compiler does not pay off in runs of minutes: without it, and with one thread for the garbage, the
		// engine takes half the processor time.
		"java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.library.path="+lib, "-cp", filepath.Join(lib, "*"),
		"software.amazon.dynamodb.services.local.main.ServerRunner", "-disableTelemetry", "-inMemory", "-port", port)
	cmd.Stdout, cmd.Stderr = printed, printed // files, for which go test does not wait
	if err := cmd.Start(); err != nil {
		return "", err
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()

	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(startDeadline)
	for {
		select {
		case ended := <-exited:
			text, _ := os.ReadFile(printed.Name())
			return string(text), fmt.Errorf("ended while it started (%v)", ended)
		case <-deadline:
			text, _ := os.ReadFile(printed.Name())
			_ = os.Remove(used)
			return string(text), fmt.Errorf("no answer on %s after %s", addr, startDeadline)
		case <-poll.C:
			if answers(addr) {
				return "", nil
			}
		}
	}
}

// freeAddress returns a loopback address that nothing listened on a moment ago.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// answers reports whether a DynamoDB answers at addr: it refuses an unsigned request in words of its own.
func answers(addr string) bool {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + addr)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	return err == nil && strings.Contains(string(text), "MissingAuthenticationToken")
}
