package sqlengines

import (
	"context"
	"database/sql/driver"
	_ "embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/sqlstore"
)

// Postgres returns a database on the server that [PostgresURL] names. The table is dropped after the test.
//
// Without a server it skips the test, or fails it in CI.
func Postgres(t testing.TB) *Database {
	t.Helper()
	return PostgresAt(t, PostgresURL(t))
}

// PostgresURL returns the URL of a superuser's connection to PostgreSQL: the value of POSTGRES_URL, or else one to the
// server that tests share. Tests there make tables, roles and databases with names of their own.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return shared.URL(t)
}

// PostgresAt returns a database on the server at the URL. The table is dropped after the test.
func PostgresAt(t testing.TB, url string) *Database {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	d := &Database{Dialect: sqlstore.Postgres(), Table: newTable(), connect: func(_ testing.TB, o Options) driver.Connector {
		c := config.Copy()
		if o.Config != nil {
			o.Config(c)
		}
		return stdlib.GetConnector(*c)
	}}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close(ctx) }()
		// Without a timeout, a transaction that the test left open would block this.
		if _, err := conn.Exec(ctx, "SET lock_timeout = '5s'; DROP TABLE IF EXISTS "+d.Table); err != nil {
			t.Error(err)
		}
	})
	return d
}

// pom names the version. scripts/engine.sh leaves a copy beside the files that it fetches.
//
//go:embed pom.xml
var pom string

// format is the URL of a server that a test has started.
const format = "postgres://postgres@%s/postgres?sslmode=disable"

// shared is the server of the tests of all packages. It does not wait for the disk, which halves the time, because its
// data need not survive a crash.
var shared = &dynamotest.Engine{
	Name:     "PostgreSQL",
	Variable: "POSTGRES_URL",
	Target:   "postgres",
	Pom:      pom,
	Programs: []string{"sh"},
	Format:   format,
	Command: func(lib, scratch, address string) (*exec.Cmd, error) {
		return postgres(lib, scratch, address, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	},
	Answers: answers,
	Taken:   "could not bind",
	Signal:  "QUIT", // ends it at once, without leftover shared memory
}

// postgres returns the command of a server with new data in scratch and with these settings.
func postgres(lib, scratch, address string, settings ...string) (*exec.Cmd, error) {
	if os.Geteuid() == 0 {
		// Another user runs the server, and may not be able to read this checkout.
		copied := filepath.Join(scratch, "postgres")
		if err := os.CopyFS(copied, os.DirFS(lib)); err != nil {
			return nil, err
		}
		lib = copied
	}
	if err := hand(scratch); err != nil {
		return nil, err
	}
	// The default order of texts is that of a language, as on many servers, so the schema must set the order of bytes.
	data := filepath.Join(scratch, "data")
	initdb := command(filepath.Join(lib, "bin", "initdb"), "--pgdata="+data, "--username=postgres", "--auth=trust",
		"--encoding=UTF8", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync")
	if output, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w; its output:\n%s", err, output)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	args := []string{"-D", data, "-h", host, "-p", port, "-k", "", "-c", "max_connections=100",
		"-c", "log_min_messages=log"} // without the errors of statements, which tests cause
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return command(filepath.Join(lib, "bin", "postgres"), args...), nil
}

// command returns a command of PostgreSQL, which does not run as root.
func command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Dir = os.TempDir() // which the other user can read
	drop(cmd)
	return cmd
}

// answers reports whether a server at the address accepts a connection.
func answers(address string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, fmt.Sprintf(format, address))
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close(ctx) }()
	return conn.Ping(ctx) == nil
}

// A Server is a PostgreSQL of one test, which waits for its disk as in production.
type Server struct {
	URL     string
	t       testing.TB
	address string
	cmd     *exec.Cmd // not started
	process *os.Process
}

// NewServer returns a server without data, which ends with the test. Without an engine it skips the test, or fails it in
// CI.
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
	for time.Now().Before(deadline) { // it exits while processes of the killed server remain
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
	if err := s.process.Kill(); err != nil { // so that it starts no other process
		s.t.Error(err)
	}
	for _, pid := range pids {
		if p, err := os.FindProcess(pid); err == nil {
			_ = p.Kill() // it may have ended
		}
	}
}
