package standin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// errEnded means that the process ended before it took the event.
var errEnded = errors.New("the environment has ended")

// An environment is one process with its own Runtime API.
type environment struct {
	cmd          *exec.Cmd
	server       *http.Server
	began        time.Time
	initDuration time.Duration

	ready  chan struct{} // closed when the process asks for its first invocation
	once   sync.Once
	exited chan struct{} // closed when the process has ended
	events chan *invocation

	mu      sync.Mutex
	current *invocation
}

type invocation struct {
	id       string
	event    []byte
	deadline time.Time
	result   chan result
}

type result struct {
	answer []byte
	err    error
}

func startEnvironment(command, variables []string, output io.Writer) (*environment, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &environment{
		ready:  make(chan struct{}),
		exited: make(chan struct{}),
		events: make(chan *invocation),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{how}", e.finish) // response or error
	e.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	e.cmd = exec.Command(command[0], command[1:]...)
	e.cmd.Env = append(variables, "AWS_LAMBDA_RUNTIME_API="+listener.Addr().String())
	e.cmd.Stdout, e.cmd.Stderr = output, output
	e.began = time.Now()
	if err := e.cmd.Start(); err != nil {
		_ = listener.Close()
		return nil, err
	}
	go func() { _ = e.server.Serve(listener) }() // ends with close; until it begins, the process waits
	go func() {
		_ = e.cmd.Wait() // cmd.ProcessState has the result
		close(e.exited)
	}()
	return e, nil
}

// initialized waits for the process to ask for its first invocation.
func (e *environment) initialized(timeout time.Duration) error {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-e.ready:
		return nil
	case <-e.exited:
		return &FunctionError{Type: "Runtime.ExitError", Text: e.cmd.ProcessState.String()}
	case <-timer.C:
		return &FunctionError{Type: "Sandbox.Timedout", Text: "in the init phase"}
	}
}

func (e *environment) invoke(ctx context.Context, event []byte, timeout time.Duration) ([]byte, error) {
	inv := &invocation{id: newID(), event: event, deadline: time.Now().Add(timeout), result: make(chan result, 1)}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case e.events <- inv:
	case <-e.exited:
		return nil, errEnded
	case <-timer.C:
		return nil, e.timedOut(timeout)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case r := <-inv.result:
		return r.answer, r.err
	case <-e.exited:
		select {
		case r := <-inv.result: // the response came first
			return r.answer, r.err
		default:
		}
		return nil, &FunctionError{Type: "Runtime.ExitError", Text: e.cmd.ProcessState.String()}
	case <-timer.C:
		return nil, e.timedOut(timeout)
	}
}

// timedOut ends the process, because Lambda ends the environment of an invocation that
// times out.
func (e *environment) timedOut(timeout time.Duration) error {
	_ = e.cmd.Process.Kill() // fails if it has ended
	<-e.exited
	return &FunctionError{Type: "Sandbox.Timedout", Text: fmt.Sprintf("Task timed out after %.2f seconds", timeout.Seconds())}
}

func (e *environment) ended() bool {
	select {
	case <-e.exited:
		return true
	default:
		return false
	}
}

func (e *environment) close() {
	_ = e.cmd.Process.Kill() // fails if it has ended
	<-e.exited
	_ = e.server.Close()
}

func (e *environment) next(w http.ResponseWriter, r *http.Request) {
	e.once.Do(func() {
		e.initDuration = time.Since(e.began)
		close(e.ready)
	})
	select {
	case <-r.Context().Done():
	case inv := <-e.events:
		e.mu.Lock()
		e.current = inv
		e.mu.Unlock()
		header := w.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		header.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:111122223333:function:device-tokens")
		header.Set("Lambda-Runtime-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0")
		_, _ = w.Write(inv.event) // the end of the process is noticed elsewhere
	}
}

// finish ends the invocation that the path names, which must be the current one.
func (e *environment) finish(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil || e.current == nil || e.current.id != r.PathValue("id") {
		http.Error(w, `{"errorType":"InvalidRequestID"}`, http.StatusBadRequest)
		return
	}
	if r.PathValue("how") == "response" {
		e.current.result <- result{answer: body}
	} else {
		e.current.result <- result{err: functionError(body)}
	}
	e.current = nil
	w.WriteHeader(http.StatusAccepted)
}

func functionError(body []byte) *FunctionError {
	var report struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(body, &report); err != nil {
		return &FunctionError{Type: "Runtime.Unknown", Text: string(body)}
	}
	return &FunctionError{Type: report.ErrorType, Text: report.ErrorMessage}
}
