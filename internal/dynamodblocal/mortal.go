package dynamodblocal

import (
	"os"
	"testing"
)

// A Mortal is a DynamoDB Local of a test's own that keeps its data on disk, so
// that it can be killed and comes back with what it had. It is not safe for
// concurrent use.
type Mortal struct {
	// URL is where it answers while it is alive, always the same.
	URL string

	lib     string
	options []string
	*process
}

// NewMortal starts one with nothing in it, which ends with the test. Where there
// is no DynamoDB Local it skips the test, or fails it in CI, as [Endpoint] does;
// but a DynamoDB that DYNAMODB_ENDPOINT names is no substitute for one to kill.
func NewMortal(tb testing.TB) *Mortal {
	tb.Helper()
	noEndpoint := func(name string) string {
		if name == "DYNAMODB_ENDPOINT" {
			return ""
		}
		return os.Getenv(name)
	}
	lib := endpoint(tb, noEndpoint, locateHere)
	m := &Mortal{lib: lib, options: []string{"-dbPath", tb.TempDir()}}
	p, err := startAnywhere(lib, m.options)
	if err != nil {
		tb.Fatal(err)
	}
	m.process, m.URL = p, "http://"+p.addr
	tb.Cleanup(m.Kill)
	return m
}

// Kill ends the engine with SIGKILL, in the middle of whatever it does, and
// returns when it is gone. Killing it twice does nothing more.
func (m *Mortal) Kill() { m.kill() }

// Restart starts the engine again, at the same address and with the same data,
// and returns when it answers. It must have been killed.
func (m *Mortal) Restart(tb testing.TB) {
	tb.Helper()
	p, output, err := startAt(m.addr, m.lib, m.options)
	if err != nil {
		tb.Fatalf("restart of DynamoDB Local: %v; its output:\n%s", err, output)
	}
	m.process = p
}
