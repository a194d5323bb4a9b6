package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/devicetokens/devicetokens/examples/lambda/internal/function"
	"github.com/devicetokens/devicetokens/examples/lambda/internal/standin"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth/oidctest"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// invoke invokes the function with a REST event and checks the status of the answer, and
// the code of its problem, if it has one.
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
	_ = json.Unmarshal([]byte(answer.Body), &problem) // the body may be empty
	if answer.StatusCode != status || problem.Code != code {
		t.Errorf("answer is %s, want %d %s", payload, status, code)
	}
	if status == http.StatusServiceUnavailable && answer.MultiValueHeaders.Get("Retry-After") == "" {
		t.Errorf("a 503 has no Retry-After: %s", payload)
	}
}

// checkLog checks the number of cold starts in the log, and that the log has some texts
// and no private ones.
func (f *deployed) checkLog(t *testing.T, coldStarts int, texts ...string) {
	t.Helper()
	printed := f.output.String()
	if n := strings.Count(printed, `"cold_start":true`); n != coldStarts {
		t.Errorf("%d cold starts, want %d", n, coldStarts)
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

// A table that does not answer, or refuses, is a 503 or a 500, and the environment lives
// on.
func TestTables(t *testing.T) {
	hold := make(chan struct{})
	slow := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(hold) })
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
		status         int
		code, logged   string
	}{
		{"slow", slow, time.Second, 503, "try_again", `"TryAgain":1`},
		{"dead", closed.URL, generous, 503, "try_again", `"TryAgain":1`},
		{"throttled", refuse("ThrottlingException"), generous, 503, "try_again", `"TryAgain":1`},
		{"denied", refuse("AccessDeniedException"), generous, 500, "internal_error", "store: misconfigured"},
		{"gone", refuse("ResourceNotFoundException"), generous, 500, "internal_error", "store: misconfigured"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // they wait between their tries
			f := deploy(t, map[string]string{"AWS_ENDPOINT_URL": test.endpoint})
			f.Timeout = test.timeout
			for range 2 {
				invoke(t, f, listEvent, test.status, test.code)
			}
			f.checkLog(t, 1, test.logged)
		})
	}
}

// The next invocation works after the function has failed.
func TestFaults(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	logout := event("DELETE", `{"deviceId":["phone"]}`, "")
	for fault, test := range map[string]struct {
		fail       func(t *testing.T, f *deployed)
		coldStarts int
		logged     string
	}{
		faultStorePanics: {func(t *testing.T, f *deployed) { invoke(t, f, logout, 500, "internal_error") }, 1, `"stack"`},
		faultCrash:       {func(t *testing.T, f *deployed) { invokeFails(t, f, logout, "string") }, 2, ""}, // the runtime library's name of a panic with a text
		faultHang: {func(t *testing.T, f *deployed) {
			f.Timeout = time.Second
			invokeFails(t, f, logout, "Sandbox.Timedout")
			f.Timeout = generous
		}, 2, ""},
		"not an event": {func(t *testing.T, f *deployed) { invokeFails(t, f, []byte(`{"key":"value"}`), "errorString") }, 1, ""},
	} {
		t.Run(fault, func(t *testing.T) {
			f := deploy(t, map[string]string{faultEnv: fault})
			f.Command, f.Timeout = self, generous
			invoke(t, f, listEvent, 200, "")
			test.fail(t, f)
			invoke(t, f, listEvent, 200, "")
			f.Close() // the last output may come after the answer
			f.checkLog(t, test.coldStarts, test.logged)
		})
	}
}

// An idle environment ends at once at SIGTERM, because there is nothing to save. The next
// request has a new one.
func TestSIGTERM(t *testing.T) {
	f := deploy(t, onTable(t))
	register := event("POST", "null", `{"deviceId":"phone","expoPushToken":"ExponentPushToken[x]","platform":"ios"}`)
	invoke(t, f, register, 201, "")
	if !f.Terminate() {
		t.Error("the process did not end by itself")
	}
	invoke(t, f, register, 200, "")
	for _, line := range strings.Split(strings.TrimSpace(f.output.String()), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("half a line was written: %s", line)
		}
	}
}

// Tokens of every kind, presented to one environment.
func TestTokens(t *testing.T) {
	issuer, stranger := oidctest.New(t), oidctest.New(t)
	f := deploy(t, withOIDC(onTable(t), issuer, "cognito-access"))
	gateway := standin.Gateway{Invoke: f.Invoke}.REST()
	claims := func(name string, value any) map[string]any {
		return map[string]any{"iss": issuer.URL, "sub": "alice", "token_use": "access", "client_id": "the-app", name: value}
	}
	good := issuer.Token(t, claims("sub", "alice"))
	unavailable := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	for _, tc := range []struct {
		name, bearer string
		keys         http.HandlerFunc // nil are the issuer's
		want         int
	}{
		{"keys that cannot be fetched", good, unavailable, 503},
		{"expired, and keys that cannot be fetched", issuer.Token(t, claims("exp", 1)), unavailable, 401},
		{"good", good, nil, 200},
		{"expired", issuer.Token(t, claims("exp", 1)), nil, 401},
		{"wrong audience", issuer.Token(t, claims("client_id", "another-app")), nil, 401},
		{"unknown key", stranger.Token(t, claims("sub", "alice")), nil, 401},
		{"nothing", "", nil, 401},
		{"no user id that can be stored", issuer.Token(t, claims("sub", "#alice")), nil, 403},
		{"rotated key", "", nil, 200},
		{"the old key", good, nil, 401},
	} {
		issuer.Answer(tc.keys)
		if tc.name == "rotated key" {
			issuer.Rotate(t)
			tc.bearer = issuer.Token(t, claims("sub", "alice"))
		}
		r, w := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/device-tokens", nil), httptest.NewRecorder()
		r.Header.Set("Authorization", "Bearer "+tc.bearer)
		gateway.ServeHTTP(w, r)
		// A REST API renames this header of a function.
		challenge := w.Header().Get("X-Amzn-Remapped-Www-Authenticate")
		if w.Code != tc.want || (tc.want == 401) != (challenge == "Bearer") {
			t.Errorf("%s: status is %d, want %d; the challenge is %q", tc.name, w.Code, tc.want, challenge)
		}
	}
	if n := strings.Count(f.output.String(), `"outcome":"try_again"`); n != 1 {
		t.Errorf("%d outcomes try_again, want one", n)
	}
	f.checkLog(t, 1)
}

// The faults of startFaulty, which occur on Deactivate only.
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
