// Package standin has fakes of Lambda, which runs a bootstrap by its Runtime API, and
// of API Gateway, for tests and benchmarks.
//
// Sources: "Using the Lambda runtime API for custom runtimes" in the developer guide of
// Lambda; "Lambda proxy integrations" and "Important notes" in that of API Gateway.
package standin

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// initTimeout is Lambda's limit for the time until a function requests its first
// invocation.
const initTimeout = 10 * time.Second

// A Lambda runs a function in one environment at a time: a process that is kept between
// invocations and replaced when it ends. It is safe for concurrent use; invocations wait
// for each other. Call Close at the end.
type Lambda struct {
	// Command is the bootstrap and its arguments.
	Command []string
	// Env has the function's variables. The function inherits no other variables of
	// this process.
	Env map[string]string
	// Timeout is the time limit of an invocation; 0 means 10 seconds.
	Timeout time.Duration
	// Output receives the output of the function. It must be safe for concurrent use.
	Output io.Writer

	mu  sync.Mutex
	env *environment
}

// A FunctionError means that an invocation ended without a response.
type FunctionError struct {
	Type string // "Sandbox.Timedout", "Runtime.ExitError" or the type that the function reported
	Text string
}

var _ error = (*FunctionError)(nil)

// Error returns the type and the text.
func (e *FunctionError) Error() string { return e.Type + ": " + e.Text }

// Invoke sends an event to the function and returns its response. The error is a
// [*FunctionError] if the function failed.
func (l *Lambda) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if err := l.start(); err != nil {
			return nil, err
		}
		answer, err := l.env.invoke(ctx, event, cmp.Or(l.Timeout, 10*time.Second))
		if errors.Is(err, errEnded) { // between two invocations: start a new environment
			l.stop()
			continue
		}
		var failed *FunctionError
		if errors.As(err, &failed) && l.env.ended() {
			l.stop()
		}
		return answer, err
	}
}

// Start starts an environment if there is none, and waits until it requests an
// invocation.
func (l *Lambda) Start() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.start()
}

func (l *Lambda) start() error {
	if l.env != nil {
		return nil
	}
	env, err := startEnvironment(l.Command, l.variables(), l.Output)
	if err != nil {
		return err
	}
	l.env = env
	if err := env.initialized(initTimeout); err != nil {
		l.stop()
		return err
	}
	return nil
}

// InitDuration returns the time from the start of the environment's process until it
// requested an invocation; 0 if there is no environment.
func (l *Lambda) InitDuration() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.env == nil {
		return 0
	}
	return l.env.initDuration
}

// PeakMemory returns the peak resident memory of the environment's process, in kB. It
// works on Linux.
func (l *Lambda) PeakMemory() (kB int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.env == nil {
		return 0, errors.New("no environment")
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.env.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	_, err = fmt.Sscan(after, &kB)
	return kB, err
}

// Shutdown ends the environment like Lambda ends an idle one: with SIGTERM, and with
// SIGKILL after the grace period. It reports whether SIGTERM was enough.
func (l *Lambda) Shutdown(grace time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.env == nil {
		return true
	}
	_ = l.env.cmd.Process.Signal(syscall.SIGTERM) // fails if it has ended
	timer := time.NewTimer(grace)
	defer timer.Stop()
	ended := true
	select {
	case <-l.env.exited:
	case <-timer.C:
		ended = false
	}
	l.stop()
	return ended
}

// Close ends the environment, if there is one.
func (l *Lambda) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stop()
}

func (l *Lambda) stop() {
	if l.env != nil {
		l.env.close()
		l.env = nil
	}
}

// variables returns Lambda's variables and the function's own.
func (l *Lambda) variables() []string {
	env := map[string]string{
		"AWS_REGION":                      "eu-central-1",
		"AWS_DEFAULT_REGION":              "eu-central-1",
		"AWS_ACCESS_KEY_ID":               "local",
		"AWS_SECRET_ACCESS_KEY":           "local",
		"AWS_SESSION_TOKEN":               "local",
		"AWS_LAMBDA_FUNCTION_NAME":        "device-tokens",
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
		"_HANDLER":                        "bootstrap",
		"LANG":                            "en_US.UTF-8",
		"TZ":                              ":UTC",
		"PATH":                            "/usr/local/bin:/usr/bin:/bin",
	}
	maps.Copy(env, l.Env)
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// newID returns an id in the format of Lambda and API Gateway.
func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
