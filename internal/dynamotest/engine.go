package dynamotest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// supervisor runs the engine for as long as its own standard input stays open. The other end of that pipe is held by
// the test binary, so the engine ends with it, also when it crashes, times out or is killed.
const supervisor = `
exec 3<&0
"$@" </dev/null 3<&- &
engine=$!
{ cat <&3; kill -9 "$engine"; } >/dev/null 2>&1 &
watcher=$!
wait "$engine"
status=$?
kill "$watcher"
exit "$status"`

// A start takes two seconds on an idle machine; several at once on a busy one take much longer.
const startDeadline = 2 * time.Minute

// inMemory is the engine's option to keep its data in memory.
var inMemory = []string{"-inMemory"}

// start starts the engine in the folder lib and returns its URL once it answers.
func start(lib string) (string, error) {
	p, err := startAnywhere(lib, inMemory)
	if err != nil {
		return "", err
	}
	return "http://" + p.addr, nil
}

// startAnywhere starts the engine on a free port, with these options.
func startAnywhere(lib string, options []string) (*process, error) {
	for attempt := 1; ; attempt++ {
		addr, err := freeAddress()
		if err != nil {
			return nil, err
		}
		p, output, err := startAt(addr, lib, options)
		if err == nil {
			return p, nil
		}
		// Another process can take the port between our look and the engine's.
		if attempt == 3 || !strings.Contains(output, "Failed to bind") {
			return nil, fmt.Errorf("DynamoDB Local: %w; its output:\n%s", err, output)
		}
	}
}

// A process is a running engine.
type process struct {
	addr     string
	lifeline io.Closer
	exited   <-chan struct{}
}

// kill ends the engine with SIGKILL, by way of its supervisor, and returns when
// it is gone.
func (p *process) kill() {
	_ = p.lifeline.Close() // that it is closed already is as good
	<-p.exited
}

// startAt returns the engine's output if it does not come to answer.
func startAt(addr, lib string, options []string) (p *process, output string, err error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, "", err
	}
	args := append([]string{
		"-c", supervisor, "sh",
		// A test binary is done before Java's second compiler pays off: without it, and with one thread for the
		// garbage, the engine takes half the processor time.
		"java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.library.path=" + lib, "-cp", filepath.Join(lib, "*"),
		"software.amazon.dynamodb.services.local.main.ServerRunner", "-disableTelemetry", "-port", port,
	}, options...)
	cmd := exec.Command("sh", args...)
	var buf bytes.Buffer
	cmd.Stdout, cmd.Stderr = &buf, &buf
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	exited := make(chan struct{})
	var ended error
	go func() {
		ended = cmd.Wait()
		lifeline.Close() // also keeps the pipe from being collected, and so closed, while the engine runs
		close(exited)
	}()

	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(startDeadline)
	for {
		select {
		case <-exited:
			return nil, buf.String(), fmt.Errorf("ended while it started (%v)", ended)
		case <-deadline:
			lifeline.Close()
			<-exited
			return nil, buf.String(), fmt.Errorf("no answer on %s after %s", addr, startDeadline)
		case <-poll.C:
			if answers(addr) {
				return &process{addr, lifeline, exited}, "", nil
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

// answers reports whether an HTTP server answers at addr; an unsigned request is refused, which is an answer.
func answers(addr string) bool {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + addr)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil
}
