// Package standin has fakes of Lambda, which runs a bootstrap by its Runtime API, and
// of API Gateway, for tests and benchmarks.
//
// Sources: "Using the Lambda runtime API for custom runtimes" in the developer guide of
// Lambda; "Lambda proxy integrations" and "Important notes" in that of API Gateway.
package standin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// phaseTimeout is Lambda's limit for the time until a function requests its first
// invocation. It also limits the time for an end after SIGTERM.
const phaseTimeout = 10 * time.Second

// A Lambda runs a function in one environment at a time: a process that is kept between
// invocations and replaced when it ends. It is safe for concurrent use; invocations wait
// for each other. Call Close at the end.
type Lambda struct {
	Command string            // the bootstrap
	Env     map[string]string // the function inherits no other variables of this process
	Timeout time.Duration     // of an invocation; 0 means 10 seconds
	Output  io.Writer         // receives the output of the function; safe for concurrent use

	mu  sync.Mutex
	env *environment
}

// A FunctionError means that an invocation ended without a response. The type is
// "Sandbox.Timedout", "Runtime.ExitError" or what the function reported.
type FunctionError struct{ Type, Text string }

var _ error = (*FunctionError)(nil)

// Error returns the type and the text.
func (e *FunctionError) Error() string { return e.Type + ": " + e.Text }

// Invoke sends an event to the function and returns its response. The error is a
// [*FunctionError] if the function failed.
func (l *Lambda) Invoke(_ context.Context, event []byte) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if _, err := l.start(); err != nil {
			return nil, err
		}
		answer, err := l.env.invoke(event, cmp.Or(l.Timeout, 10*time.Second))
		if !errors.Is(err, errEnded) {
			return answer, err
		}
		l.stop()
	}
}

// Start starts an environment if there is none. It returns the time from the start of
// its process until the process requested an invocation.
func (l *Lambda) Start() (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.start()
}

func (l *Lambda) start() (time.Duration, error) {
	if l.env != nil {
		return 0, nil
	}
	began := time.Now()
	env, err := startEnvironment(l)
	if err != nil {
		return 0, err
	}
	l.env = env
	select {
	case <-env.ready:
		return time.Since(began), nil
	case <-env.exited:
		err = env.exitError()
	case <-time.After(phaseTimeout):
		err = &FunctionError{Type: "Sandbox.Timedout", Text: "in the init phase"}
	}
	l.stop()
	return 0, err
}

// PeakMemory returns the peak resident memory of the environment's process, in kB. It
// works on Linux, after Start.
func (l *Lambda) PeakMemory() (kB int64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.env.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	_, err = fmt.Sscan(after, &kB)
	return kB, err
}

// Terminate ends the environment like Lambda ends an idle one, with SIGTERM, and reports
// whether that was enough.
func (l *Lambda) Terminate() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.stop()
	_ = l.env.cmd.Process.Signal(syscall.SIGTERM) // fails if it has ended
	select {
	case <-l.env.exited:
		return true
	case <-time.After(phaseTimeout):
		return false
	}
}

// Close ends the environment, if there is one.
func (l *Lambda) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stop()
}

func (l *Lambda) stop() {
	if l.env != nil {
		l.env.kill()
		l.env.api.Close()
		l.env = nil
	}
}

// errEnded means that the process ended before it took the event.
var errEnded = errors.New("the environment has ended")

// An environment is one process with its own Runtime API.
type environment struct {
	cmd     *exec.Cmd
	api     *httptest.Server
	once    sync.Once
	ready   chan struct{} // closed when the process asks for its first invocation
	exited  chan struct{} // closed when the process has ended
	events  chan invocation
	results chan result
}

type invocation struct {
	event    []byte
	deadline time.Time
}

type result struct {
	answer []byte
	err    error
}

// invocationID is the id of every invocation.
const invocationID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"

func startEnvironment(l *Lambda) (*environment, error) {
	e := &environment{
		ready: make(chan struct{}), exited: make(chan struct{}), events: make(chan invocation), results: make(chan result, 1),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/"+invocationID+"/{how}", e.finish) // response or error
	e.api = httptest.NewServer(mux)
	e.cmd = exec.Command(l.Command)
	e.cmd.Stdout, e.cmd.Stderr = l.Output, l.Output
	e.cmd.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + e.api.Listener.Addr().String(), "AWS_REGION=eu-central-1",
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_SESSION_TOKEN=local",
		"AWS_LAMBDA_FUNCTION_NAME=device-tokens", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
	}
	for name, value := range l.Env {
		e.cmd.Env = append(e.cmd.Env, name+"="+value)
	}
	if err := e.cmd.Start(); err != nil {
		e.api.Close()
		return nil, err
	}
	go func() {
		_ = e.cmd.Wait() // cmd.ProcessState has the result
		close(e.exited)
	}()
	return e, nil
}

func (e *environment) invoke(event []byte, timeout time.Duration) ([]byte, error) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case e.events <- invocation{event, time.Now().Add(timeout)}:
	case <-e.exited:
		return nil, errEnded
	case <-timer.C:
		return nil, e.timedOut(timeout)
	}
	select {
	case r := <-e.results:
		return r.answer, r.err
	case <-e.exited:
		select {
		case r := <-e.results: // the response came first
			return r.answer, r.err
		default:
			return nil, e.exitError()
		}
	case <-timer.C:
		return nil, e.timedOut(timeout)
	}
}

// timedOut ends the process, because Lambda ends the environment of an invocation that
// times out.
func (e *environment) timedOut(timeout time.Duration) error {
	e.kill()
	return &FunctionError{Type: "Sandbox.Timedout", Text: fmt.Sprintf("Task timed out after %.2f seconds", timeout.Seconds())}
}

func (e *environment) exitError() error {
	return &FunctionError{Type: "Runtime.ExitError", Text: e.cmd.ProcessState.String()}
}

func (e *environment) kill() {
	_ = e.cmd.Process.Kill() // fails if it has ended
	<-e.exited
}

func (e *environment) next(w http.ResponseWriter, r *http.Request) {
	e.once.Do(func() { close(e.ready) })
	select {
	case <-r.Context().Done():
	case inv := <-e.events:
		header := w.Header()
		header.Set("Lambda-Runtime-Aws-Request-Id", invocationID)
		header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		header.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:111122223333:function:device-tokens")
		header.Set("Lambda-Runtime-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0")
		_, _ = w.Write(inv.event) // the end of the process is noticed elsewhere
	}
}

// finish ends the invocation.
func (e *environment) finish(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil && r.PathValue("how") == "error" {
		var report struct{ ErrorType, ErrorMessage string }
		_ = json.Unmarshal(body, &report) // without a type, it is a type that no test expects
		err = &FunctionError{report.ErrorType, report.ErrorMessage}
	}
	e.results <- result{body, err}
	w.WriteHeader(http.StatusAccepted)
}
