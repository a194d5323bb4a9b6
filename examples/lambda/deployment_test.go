package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/e2e"
	"github.com/devicetokens/devicetokens/examples/lambda/internal/standin"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth/oidctest"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// generous is a time-out that no healthy call comes near.
const generous = 30 * time.Second

// listEvent is a REST event of alice's.
const listEvent = `{"path":"/v1/device-tokens","httpMethod":"GET","requestContext":{"authorizer":{"claims":{"sub":"alice"}}}}`

// A deployed is a process of the built bootstrap with a fake of Lambda's Runtime API.
// Source: "Using the Lambda runtime API for custom runtimes" in the developer guide.
type deployed struct {
	timeout time.Duration // of an invocation
	process *exec.Cmd
	exited  chan struct{} // closed when the process has ended
	output  bytes.Buffer  // may be read when the process has ended

	one    sync.Mutex // Lambda sends one event at a time to a process
	events chan []byte
	answer chan []byte
}

// deploy starts the bootstrap. env changes its variables.
func deploy(t testing.TB, env map[string]string) *deployed {
	t.Helper()
	f := &deployed{
		timeout: generous, process: exec.Command(bootstrap), exited: make(chan struct{}),
		events: make(chan []byte), answer: make(chan []byte, 1),
	}
	api := http.NewServeMux()
	api.HandleFunc("GET /2018-06-01/runtime/invocation/next", f.next)
	api.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) {
		answer, _ := io.ReadAll(r.Body) // half an answer is not JSON
		f.answer <- answer
		w.WriteHeader(http.StatusAccepted)
	})
	variables := map[string]string{
		"AWS_LAMBDA_RUNTIME_API":  strings.TrimPrefix(serve(t, api), "http://"),
		"AWS_REGION":              "eu-central-1",
		"AWS_ACCESS_KEY_ID":       "local",
		"AWS_SECRET_ACCESS_KEY":   "local",
		"DEVICE_TOKEN_TABLE_NAME": "device-tokens",
		"DEVICE_TOKEN_STAGE":      "prod",
		"DEVICE_TOKEN_AUTH":       "claims",
	}
	maps.Copy(variables, env)
	for name, value := range variables {
		f.process.Env = append(f.process.Env, name+"="+value)
	}
	f.process.Stdout, f.process.Stderr = &f.output, &f.output
	if err := f.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = f.process.Wait()
		close(f.exited)
	}()
	t.Cleanup(func() {
		f.stop(t)
		if t.Failed() {
			t.Logf("the function printed:\n%s", f.output.String())
		}
	})
	return f
}

// next sends the function its next event.
func (f *deployed) next(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case event := <-f.events:
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", rand.Text())
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(f.timeout).UnixMilli()))
		_, _ = w.Write(event) // Invoke notices the end of the process
	}
}

// Invoke sends an event to the function and returns its answer.
func (f *deployed) Invoke(_ context.Context, event []byte) ([]byte, error) {
	f.one.Lock()
	defer f.one.Unlock()
	timeout := time.After(f.timeout)
	for send := f.events; ; {
		select {
		case send <- event:
			send = nil // once
		case answer := <-f.answer:
			return answer, nil
		case <-f.exited:
			return nil, errors.New("the function has ended")
		case <-timeout:
			return nil, errors.New("the function timed out")
		}
	}
}

// stop ends the process as Lambda ends an idle one. It must end at once, because there is
// nothing to save.
func (f *deployed) stop(t testing.TB) {
	t.Helper()
	_ = f.process.Process.Signal(syscall.SIGTERM) // fails if it has ended
	select {
	case <-f.exited:
	case <-time.After(generous):
		t.Error("the process does not end at SIGTERM")
		_ = f.process.Process.Kill()
		<-f.exited
	}
}

// checkLog stops the function. It checks that the log is whole, with one cold start, and
// has some texts and no private ones.
func (f *deployed) checkLog(t *testing.T, texts ...string) {
	t.Helper()
	f.stop(t)
	printed := f.output.String()
	for line := range strings.Lines(printed) {
		if !json.Valid([]byte(line)) {
			t.Errorf("the log has a line that is not JSON: %s", line)
		}
	}
	if n := strings.Count(printed, `"cold_start":true`); n != 1 {
		t.Errorf("%d cold starts, want one", n)
	}
	for _, text := range texts {
		if !strings.Contains(printed, text) {
			t.Errorf("the log lacks %s", text)
		}
	}
	for _, private := range []string{"PushToken[", "alice", "phone", "secret", "eyJ"} {
		if strings.Contains(printed, private) {
			t.Errorf("%q is in the log", private)
		}
	}
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// Two deployments work as apps use them: the function behind a REST API with an
// authorizer, and behind an HTTP API, where it verifies the tokens itself.
func TestDeployments(t *testing.T) {
	issuer := oidctest.New(t)
	user := func(user string) string { return user }
	for name, test := range map[string]struct {
		env    map[string]string
		front  func(standin.Gateway) http.Handler
		bearer func(user string) string
	}{
		"REST": {nil, standin.Gateway.REST, user},
		"HTTP": {
			map[string]string{
				"DEVICE_TOKEN_AUTH": "oidc", "DEVICE_TOKEN_OIDC_TOKEN": "cognito-access",
				"DEVICE_TOKEN_OIDC_ISSUER": issuer.URL, "DEVICE_TOKEN_OIDC_AUDIENCE": "the-app",
			},
			standin.Gateway.HTTP,
			func(user string) string {
				return issuer.Token(t, map[string]any{"sub": user, "token_use": "access", "client_id": "the-app"})
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{ // DynamoDB Local keeps tables apart by access key and region
				"DEVICE_TOKEN_TABLE_NAME":   dynamotest.Table(t, dynamotest.Client(t, nil)),
				"AWS_ENDPOINT_URL_DYNAMODB": dynamotest.Endpoint(t),
				"AWS_REGION":                "us-east-1",
			}
			maps.Copy(env, test.env)
			f := deploy(t, env)
			gateway := standin.Gateway{Invoke: f.Invoke, Stage: "prod"}
			if test.env == nil {
				gateway.Authorize = func(r *http.Request) (map[string]string, bool) {
					user, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
					return map[string]string{"sub": user, "token_use": "id"}, ok
				}
			}
			e2e.Run(t, serve(t, test.front(gateway))+"/prod", test.bearer)
			f.checkLog(t, `"Created":`, `"Refreshed":`, `"Moved":`, `"Deactivated":`, `"Erased":`, `"Rejected":`, `"StoreLatency":`)
		})
	}
}

func TestBadStart(t *testing.T) {
	f := deploy(t, map[string]string{"DEVICE_TOKEN_TABLE_NAME": "", "DEVICE_TOKEN_TTL": "1h", "DEVICE_TOKEN_AUTH": "open"})
	if answer, err := f.Invoke(t.Context(), []byte(listEvent)); err == nil {
		t.Errorf("it started and answered %s", answer)
	}
	f.stop(t)
	for _, name := range []string{"DEVICE_TOKEN_TABLE_NAME", "DEVICE_TOKEN_TTL", "DEVICE_TOKEN_AUTH"} {
		if !strings.Contains(f.output.String(), name) {
			t.Errorf("the log does not name %s", name)
		}
	}
}

// A table that does not answer is a 503, and one that refuses is a 500. The same process
// answers the next event.
func TestTables(t *testing.T) {
	slow := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that the server notices the end of the connection
		<-r.Context().Done()
	}))
	closed := httptest.NewServer(nil)
	closed.Close()
	refuse := func(code string) string {
		return serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"com.amazon.coral.service#`+code+`","message":"arn:aws:dynamodb:eu-central-1:111122223333:table/secret alice"}`)
		}))
	}
	for _, test := range []struct {
		name, endpoint string
		timeout        time.Duration
		answer, logged string
	}{
		{"slow", slow, time.Second, `"statusCode":503`, `"TryAgain":1`},
		{"dead", closed.URL, generous, `"statusCode":503`, `"TryAgain":1`},
		{"throttled", refuse("ThrottlingException"), generous, `"statusCode":503`, `"TryAgain":1`},
		{"denied", refuse("AccessDeniedException"), generous, `"statusCode":500`, "store: misconfigured"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // they wait between their tries
			f := deploy(t, map[string]string{"AWS_ENDPOINT_URL": test.endpoint})
			f.timeout = test.timeout
			for range 2 {
				answer, err := f.Invoke(t.Context(), []byte(listEvent))
				if err != nil || !bytes.Contains(answer, []byte(test.answer)) {
					t.Errorf("answer is %s, want %s: %v", answer, test.answer, err)
				}
			}
			f.checkLog(t, test.logged)
		})
	}
}

// BenchmarkColdStart starts the function in a new process and sends it one event, against
// a table that answers at once. init-ms ends when the function asks for its first event,
// answer-ms is the time of the answer.
func BenchmarkColdStart(b *testing.B) {
	table := serve(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, `{"Count":0,"Items":[],"ScannedCount":0}`)
	}))
	var initial, answering time.Duration
	for b.Loop() {
		began := time.Now()
		f := deploy(b, map[string]string{"AWS_ENDPOINT_URL": table})
		f.events <- []byte(listEvent)
		asked := time.Now()
		if answer := <-f.answer; !bytes.Contains(answer, []byte(`"statusCode":200`)) {
			b.Fatalf("it answered %s", answer)
		}
		initial += asked.Sub(began)
		answering += time.Since(asked)
		f.stop(b)
	}
	b.ReportMetric(1e3*initial.Seconds()/float64(b.N), "init-ms")
	b.ReportMetric(1e3*answering.Seconds()/float64(b.N), "answer-ms")
}
