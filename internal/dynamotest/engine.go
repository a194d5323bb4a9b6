package dynamotest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// An Engine is a database server that `make` fetches into .cache and that the test
// binaries of all packages share. The first test that needs it starts it. It ends after
// five minutes without a test, or when its file "used" is removed, and keeps no data.
type Engine struct {
	Name     string   // of the database
	Variable string   // of the environment, for the URL of another server to use instead
	Target   string   // of make, and its folder in .cache
	Pom      string   // names the files to fetch; a copy of it is beside the fetched files
	Programs []string // that must be on the PATH
	Format   string   // of its URL, with a verb for the address

	// Command returns the command of a server at the loopback address. Its software
	// is in lib. Its data may go into the empty folder scratch, which is removed
	// after the server ended.
	Command func(lib, scratch, address string) (*exec.Cmd, error)
	// Answers reports whether the server answers at the address.
	Answers func(address string) bool
	Taken   string // part of its output if the port is taken
	Signal  string // that ends it

	once sync.Once
	url  string
	err  error
}

// URL returns the URL of the server. Without an engine, it skips the test and names the
// command to get one, or fails the test if CI is set. It is safe for concurrent use.
func (e *Engine) URL(tb testing.TB) string {
	tb.Helper()
	return e.choose(tb, os.Getenv, func() (string, error) {
		e.once.Do(func() { e.url, e.err = e.find() })
		return e.url, e.err
	})
}

func (e *Engine) choose(tb testing.TB, getenv func(string) string, find func() (string, error)) string {
	tb.Helper()
	if url := getenv(e.Variable); url != "" {
		return url
	}
	url, err := find()
	if errors.Is(err, errMissing) && getenv("CI") == "" {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return url
}

// find returns the URL of the shared server, which runs as long as this test binary.
func (e *Engine) find() (string, error) {
	lib, err := e.Locate()
	if err != nil {
		return "", err
	}
	address, err := e.share(lib, lib)
	if err != nil {
		return "", err
	}
	go func() {
		for range time.Tick(time.Minute) {
			_ = touch(filepath.Join(lib, usedFile))
		}
	}()
	return fmt.Sprintf(e.Format, address), nil
}

var errMissing = errors.New("nothing to test against")

// Locate returns the folder of the engine's software.
func (e *Engine) Locate() (string, error) {
	dir, err := os.Getwd() // the package of the test
	if err != nil {
		return "", err
	}
	return e.locate(dir, exec.LookPath)
}

func (e *Engine) locate(dir string, lookPath func(string) (string, error)) (string, error) {
	for _, program := range e.Programs {
		if _, err := lookPath(program); err != nil {
			return "", e.missing(program + " is not on the PATH: install it and run `make " + e.Target + "`")
		}
	}
	for ; ; dir = filepath.Dir(dir) {
		lib := filepath.Join(dir, ".cache", e.Target)
		fetched, err := os.ReadFile(filepath.Join(lib, "pom.xml"))
		switch {
		case err == nil && string(fetched) == e.Pom:
			return lib, nil
		case err == nil:
			return "", e.missing("what was fetched is not the version wanted: run `make " + e.Target + "`")
		case dir == filepath.Dir(dir):
			return "", e.missing("run `make " + e.Target + "` once")
		}
	}
}

func (e *Engine) missing(remedy string) error {
	return fmt.Errorf("%s: %w: %s, or set %s", e.Name, errMissing, remedy, e.Variable)
}

// The files in the folder of an engine.
const (
	addressFile = "address" // of the running engine
	usedFile    = "used"    // touched by the test binaries that use it
	lockFile    = "lock"    // held by a test binary that looks for the engine or starts it
	logFile     = "log"     // the engine's output
)

// keeper sends the signal $3 to the engine $2 when no test binary has touched the file $1
// for five minutes, or when that file is gone. Then it removes the folder $4.
const keeper = `
while kill -0 "$2" 2>/dev/null; do
	[ -n "$(find "$1" -mmin -5 2>/dev/null)" ] || { kill -s "$3" "$2"; break; }
	sleep 1
done
sleep 1
rm -rf "$4"`

// A start takes two seconds on an idle machine, and much longer on a busy one.
const startDeadline = 2 * time.Minute

// share returns the address of the engine of the folder state, or starts the engine in lib.
// Of concurrent callers, in any processes, one does so and the others wait.
func (e *Engine) share(lib, state string) (string, error) {
	unlock, err := lock(filepath.Join(state, lockFile))
	if err != nil {
		return "", err
	}
	defer unlock()
	used := filepath.Join(state, usedFile)
	if err := touch(used); err != nil { // first, so that an engine that is found does not end
		return "", err
	}
	address, err := os.ReadFile(filepath.Join(state, addressFile))
	if err == nil && e.Answers(string(address)) {
		return string(address), nil
	}
	started, err := e.start(lib, state)
	if err != nil {
		return "", err
	}
	return started, os.WriteFile(filepath.Join(state, addressFile), []byte(started), 0o644)
}

func touch(name string) error {
	return os.WriteFile(name, nil, 0o644)
}

func (e *Engine) start(lib, state string) (string, error) {
	for attempt := 1; ; attempt++ {
		address, err := FreeAddress()
		if err != nil {
			return "", err
		}
		output, err := e.startAt(address, lib, state)
		if err == nil {
			return address, nil
		}
		// Another process may have taken the port meanwhile.
		if attempt == 3 || !strings.Contains(output, e.Taken) {
			return "", fmt.Errorf("%s: %w; its output:\n%s", e.Name, err, output)
		}
	}
}

// startAt returns the engine's output if the engine does not answer.
func (e *Engine) startAt(address, lib, state string) (output string, err error) {
	printed, err := os.Create(filepath.Join(state, logFile))
	if err != nil {
		return "", err
	}
	defer printed.Close()
	scratch, err := os.MkdirTemp("", e.Target+"-")
	if err != nil {
		return "", err
	}
	cmd, err := e.Command(lib, scratch, address)
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(scratch))
	}
	cmd.Stdout, cmd.Stderr = printed, printed // files, for which go test does not wait
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return "", errors.Join(err, os.RemoveAll(scratch))
	}
	used := filepath.Join(state, usedFile)
	ending := exec.Command("sh", "-c", keeper, "sh", used, fmt.Sprint(cmd.Process.Pid), e.Signal, scratch)
	detach(ending)
	if err := ending.Start(); err != nil {
		return "", errors.Join(err, cmd.Process.Kill(), os.RemoveAll(scratch))
	}
	go func() { _ = ending.Wait() }()
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
			return string(text), fmt.Errorf("no answer on %s after %s", address, startDeadline)
		case <-poll.C:
			if e.Answers(address) {
				return "", nil
			}
		}
	}
}

// FreeAddress returns a loopback address that nothing listened on a moment ago.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
