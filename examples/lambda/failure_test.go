package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/lambda/internal/function"
	"github.com/devicetokens/devicetokens/examples/lambda/internal/standin"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth/oidctest"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// invoke invokes the function with a REST event and checks the answer's status,
// and the code of the problem that it is, if it is one.
func invoke(t *testing.T, f *deployed, event []byte, status int, code string) {
	t.Helper()
	payload, err := f.Invoke(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		StatusCode        int
		MultiValueHeaders http.Header
		Body              string
	}
	var problem struct{ Code string }
	if err := json.Unmarshal(payload, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Body != "" {
		if err := json.Unmarshal([]byte(answer.Body), &problem); err != nil {
			t.Fatal(err)
		}
	}
	if answer.StatusCode != status || problem.Code != code {
		t.Errorf("answer is %s, want %d %s", payload, status, code)
	}
	if status == http.StatusServiceUnavailable && answer.MultiValueHeaders.Get("Retry-After") == "" {
		t.Errorf("a 503 does not say when to try again: %s", payload)
	}
}

// invokeFails checks that an invocation ends without an answer.
func invokeFails(t *testing.T, f *deployed, event []byte, errorType string) {
	t.Helper()
	payload, err := f.Invoke(t.Context(), event)
	var failed *standin.FunctionError
	if !errors.As(err, &failed) || failed.Type != errorType {
		t.Errorf("got %s, %v; want %s", payload, err, errorType)
	}
}

func TestBadStart(t *testing.T) {
	f := deploy(t, map[string]string{
		"DEVICE_TOKEN_TABLE_NAME": "", "DEVICE_TOKEN_TTL": "1h", "DEVICE_TOKEN_AUTH": "open",
	})
	invokeFails(t, f, listEvent, "Runtime.ExitError")
	for _, name := range []string{"DEVICE_TOKEN_TABLE_NAME", "DEVICE_TOKEN_TTL", "DEVICE_TOKEN_AUTH"} {
		if !strings.Contains(f.output.String(), name) {
			t.Errorf("the log does not name %s", name)
		}
	}
}

// TestTables has tables that do not do what they should.
func TestTables(t *testing.T) {
	hold := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(hold) })

	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	refuse := func(code, message string) string {
		return serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"com.amazon.coral.service#`+code+`","message":"`+message+`"}`)
		}))
	}
	const secret = "arn:aws:dynamodb:eu-central-1:111122223333:table/device-tokens alice"
	for _, test := range []struct {
		name, endpoint string
		timeout        time.Duration
		status         int
		code, logged   string
	}{
		{"slow", slow.URL, time.Second, 503, "try_again", `"TryAgain":1`},
		{"dead", "http://" + closed.Addr().String(), generous, 503, "try_again", `"TryAgain":1`},
		{"throttled", refuse("ThrottlingException", secret), generous, 503, "try_again", `"TryAgain":1`},
		{"denied", refuse("AccessDeniedException", secret), generous, 500, "internal_error", "store: misconfigured"},
		{"gone", refuse("ResourceNotFoundException", secret), generous, 500, "internal_error", "store: misconfigured"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // they wait between their tries
			f := deploy(t, map[string]string{"AWS_ENDPOINT_URL": test.endpoint})
			f.Timeout = test.timeout
			for range 2 { // in a row: the environment lives on
				invoke(t, f, listEvent, test.status, test.code)
			}
			printed := f.output.String()
			if n := strings.Count(printed, `"cold_start":true`); n != 1 {
				t.Errorf("%d cold starts, want one", n)
			}
			if !strings.Contains(printed, test.logged) {
				t.Errorf("the log lacks %s", test.logged)
			}
			if strings.Contains(printed, "alice") {
				t.Error("a user is in the log")
			}
		})
	}
}

// TestFaults has the function itself fail, and be there again for the next
// invocation.
func TestFaults(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	faultyOne := func(t *testing.T, fault string) *deployed {
		f := deploy(t, map[string]string{faultEnv: fault})
		f.Command = []string{self}
		f.Timeout = generous
		invoke(t, f, listEvent, 200, "")
		return f
	}
	logout := event("DELETE", `{"deviceId":["phone"]}`, "")
	t.Run(faultStorePanics, func(t *testing.T) {
		f := faultyOne(t, faultStorePanics)
		invoke(t, f, logout, 500, "internal_error")
		invoke(t, f, listEvent, 200, "")
		printed := f.output.String()
		if !strings.Contains(printed, `"stack"`) || strings.Contains(printed, "secret") {
			t.Error("the log has no stack, or the panic's value")
		}
		if n := strings.Count(printed, `"cold_start":true`); n != 1 {
			t.Errorf("%d cold starts, want one", n)
		}
	})
	t.Run(faultCrash, func(t *testing.T) {
		f := faultyOne(t, faultCrash)
		invokeFails(t, f, logout, "string") // how the runtime library names a panic with a text
		invoke(t, f, listEvent, 200, "")
		f.Close() // what it printed may come after the answer
		if n := strings.Count(f.output.String(), `"cold_start":true`); n != 2 {
			t.Errorf("%d cold starts, want two", n)
		}
	})
	t.Run(faultHang, func(t *testing.T) {
		f := faultyOne(t, faultHang)
		f.Timeout = time.Second
		invokeFails(t, f, logout, "Sandbox.Timedout")
		f.Timeout = generous
		invoke(t, f, listEvent, 200, "")
	})
	t.Run("not an event", func(t *testing.T) {
		f := faultyOne(t, "none")
		for range 2 {
			invokeFails(t, f, []byte(`{"key":"value"}`), "errorString")
		}
		invoke(t, f, listEvent, 200, "")
		if n := strings.Count(f.output.String(), `"cold_start":true`); n != 1 {
			t.Errorf("%d cold starts, want one", n)
		}
	})
}

// TestSIGTERM ends an idle environment: there is nothing to save, so it ends at
// once, and the next request has a new one.
func TestSIGTERM(t *testing.T) {
	f := deploy(t, onTable(t))
	register := event("POST", "null", `{"deviceId":"phone","expoPushToken":"ExponentPushToken[x]","platform":"ios"}`)
	invoke(t, f, register, 201, "")
	if !f.Shutdown(generous) {
		t.Error("the process did not end by itself")
	}
	invoke(t, f, register, 200, "")
	for _, line := range strings.Split(strings.TrimSpace(f.output.String()), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("half a line was written: %s", line)
		}
	}
}

// TestTokens presents tokens of every kind to one function, in one environment.
func TestTokens(t *testing.T) {
	issuer := oidctest.New(t)
	f := deploy(t, withOIDC(onTable(t), issuer, "cognito-access"))
	url := serve(t, standin.Gateway{Invoke: f.Invoke, Stage: "prod"}.REST()) + "/prod/v1/device-tokens"
	claims := map[string]any{"sub": "alice", "token_use": "access", "client_id": "the-app"}
	token := func(name string, value any) string {
		all := map[string]any{name: value}
		for k, v := range claims {
			if k != name {
				all[k] = v
			}
		}
		return issuer.Token(t, all)
	}
	good := issuer.Token(t, claims)
	stranger := oidctest.New(t)
	check := func(name, bearer string, want int) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+bearer)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: status is %d, want %d", name, resp.StatusCode, want)
		}
		// A REST API renames this header of a function.
		challenge := resp.Header.Get("X-Amzn-Remapped-Www-Authenticate")
		if (want == 401) != (challenge == "Bearer") {
			t.Errorf("%s: the challenge is %q", name, challenge)
		}
	}
	issuer.Answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	check("keys that cannot be fetched", good, 503)
	check("expired, and keys that cannot be fetched", token("exp", 1), 401)
	issuer.Answer(nil)
	check("good", good, 200)
	check("good again", good, 200)
	check("expired", token("exp", 1), 401)
	check("wrong audience", token("client_id", "another-app"), 401)
	check("an ID token", token("token_use", "id"), 401)
	check("another issuer's", stranger.Token(t, claims), 401)
	check("unknown key", stranger.Token(t, map[string]any{"iss": issuer.URL, "sub": "alice", "token_use": "access", "client_id": "the-app"}), 401)
	check("not a token", "alice", 401)
	check("nothing", "", 401)
	issuer.Rotate(t)
	check("rotated key", issuer.Token(t, claims), 200)
	check("the old key", good, 401)
	check("no user id that can be stored", token("sub", "#alice"), 403)

	var outcomes []string
	for _, line := range strings.Split(f.output.String(), "\n") {
		if strings.Contains(line, `"outcome":"try_again"`) {
			outcomes = append(outcomes, line)
		}
	}
	if diff := cmp.Diff(1, len(outcomes)); diff != "" {
		t.Errorf("outcomes try_again (-want +got):\n%s", diff)
	}
	if strings.Contains(f.output.String(), "eyJ") {
		t.Error("a bearer token is in the log")
	}
}

// The faults of startFaulty. Each shows on Deactivate alone, so that the
// invocations around it can be looked at.
const (
	faultStorePanics = "store panics"
	faultCrash       = "crash"
	faultHang        = "hang"
)

// startFaulty is main with a fault in it. It does not return.
func startFaulty(fault string) {
	cfg, err := function.ConfigFromEnv(os.Getenv)
	if err != nil {
		log.Fatal(err)
	}
	var out io.Writer = os.Stdout
	if fault == faultCrash {
		out = brokenPipe{}
	}
	f, err := function.New(cfg, faulty{memstore.MustNew(store.Policy{}), fault}, out)
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(f)
}

type faulty struct {
	store.Store
	fault string
}

func (f faulty) Deactivate(ctx context.Context, key tokens.Key) error {
	switch f.fault {
	case faultStorePanics:
		panic("with a secret in it")
	case faultHang:
		select {} // and ignore the context
	}
	return f.Store.Deactivate(ctx, key)
}

// brokenPipe panics where package httpapi contains nothing: in its log.
type brokenPipe struct{}

func (brokenPipe) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(`"operation":"deactivate","outcome":"ok"`)) {
		panic("no log")
	}
	return os.Stdout.Write(p)
}
