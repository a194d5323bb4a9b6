package sqlengines

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// A Server is a PostgreSQL of one test, which waits for its disk as in production.
type Server struct {
	URL     string
	t       testing.TB
	address string
	cmd     *exec.Cmd // not started
	process *os.Process
}

// NewServer returns a server with no data. It ends with the test. Where `make postgres` has fetched none, it skips the test,
// or fails it in CI.
func NewServer(t testing.TB) *Server {
	t.Helper()
	lib, err := shared.Locate()
	if err != nil && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	scratch, err := os.MkdirTemp("", "postgres-of-a-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(scratch) })
	s := &Server{t: t}
	if s.address, err = dynamotest.FreeAddress(); err != nil {
		t.Fatal(err)
	}
	if s.cmd, err = postgres(lib, scratch, s.address); err != nil {
		t.Fatal(err)
	}
	s.URL = fmt.Sprintf(format, s.address)
	return s
}

// Start starts the server, and returns when it answers.
func (s *Server) Start() {
	s.t.Helper()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	deadline := time.Now().Add(time.Minute)
	var output strings.Builder
	for time.Now().Before(deadline) { // it refuses while the processes of the last one are about to end
		<-poll.C
		output.Reset()
		cmd := command(s.cmd.Path, s.cmd.Args[1:]...)
		cmd.Stderr = &output
		if err := cmd.Start(); err != nil {
			s.t.Fatal(err)
		}
		exited := make(chan struct{})
		go func() { _ = cmd.Wait(); close(exited) }()
		for running := true; running; {
			select {
			case <-exited:
				running = false
			case <-poll.C:
				if answers(s.address) {
					if s.process == nil {
						s.t.Cleanup(func() { s.Kill() })
					}
					s.process = cmd.Process
					return
				}
			}
		}
	}
	s.t.Fatalf("the server does not start; its output:\n%s", &output)
}

// Kill kills the server and all of its processes at once.
func (s *Server) Kill() {
	s.t.Helper()
	ctx := context.WithoutCancel(s.t.Context())
	conn, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, "SELECT pid FROM pg_stat_activity")
	if err != nil {
		s.t.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.process.Kill(); err != nil { // it starts no other
		s.t.Error(err)
	}
	for _, pid := range pids {
		if p, err := os.FindProcess(pid); err == nil {
			_ = p.Kill() // it may have ended
		}
	}
}
