package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// A server is the process under test.
type server struct {
	cmd   *exec.Cmd
	url   string // of the service
	debug string // of what -tags debug adds
	log   serverLog
}

// startServer starts the program at path on a free port, and waits until it has
// printed where it is.
func startServer(ctx context.Context, path string) (*server, error) {
	s := &server{cmd: exec.CommandContext(ctx, path, "-addr", "127.0.0.1:0")}
	s.cmd.Stderr = &s.log
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	address := regexp.MustCompile(`http://[0-9.]+:[0-9]+`)
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		found := address.FindString(lines.Text())
		switch {
		case strings.HasPrefix(lines.Text(), "Debugging at "):
			s.debug = found
		case s.url == "" && found != "":
			s.url = found
		}
		if strings.HasPrefix(lines.Text(), "Ctrl-C") {
			break
		}
	}
	if s.url == "" || s.debug == "" {
		return nil, errors.Join(fmt.Errorf("the server printed no addresses; was it built with -tags debug?"), s.cmd.Process.Kill(), s.cmd.Wait())
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
	return s, nil
}

// stop asks the server to end, and waits until it has.
func (s *server) stop() error {
	return errors.Join(s.cmd.Process.Signal(syscall.SIGTERM), s.cmd.Wait())
}

// A state is how a server is doing: its goroutines, and the bytes that its heap
// holds once the garbage is gone.
type state struct {
	Goroutines int    `json:"goroutines"`
	Heap       uint64 `json:"heap"`
}

// state asks the server. The connection is a new one each time, so that asking
// counts for the same number of goroutines each time.
func (s *server) state(ctx context.Context) (state, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.debug+"/debug/state", nil)
	if err != nil {
		return state{}, err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return state{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	var now state
	return now, json.NewDecoder(resp.Body).Decode(&now)
}

// goroutines returns the stacks of all goroutines, for a report of a leak.
func (s *server) goroutines(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.debug+"/debug/pprof/goroutine?debug=1", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// resident is the process's memory in bytes, as Linux counts it; it is 0 on other
// systems, which do not say it there.
func (s *server) resident() uint64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, _ := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}

// A serverLog looks through what the server logs, and keeps the lines that
// should not be there.
type serverLog struct {
	mu    sync.Mutex
	rest  []byte // of a line that has not ended
	lines int
	bad   []string
}

func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, rest, ended := bytes.Cut(l.rest, []byte("\n"))
		if !ended {
			return len(p), nil
		}
		l.lines++
		wrong := bytes.Contains(line, []byte("PushToken[")) || bytes.Contains(line, []byte("panic")) ||
			bytes.Contains(line, []byte("level=ERROR"))
		if wrong && len(l.bad) < 10 {
			l.bad = append(l.bad, string(line))
		}
		l.rest = rest
	}
}

// found returns how many lines there were, and the first of those that should
// not be there.
func (l *serverLog) found() (lines int, bad []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines, l.bad
}
