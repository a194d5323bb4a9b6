package function

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/httpapi/oidcauth/oidctest"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// Each request has a line of log and one of metrics.
func TestLines(t *testing.T) {
	var out bytes.Buffer
	f := newFunction(t, Config{Stage: "test", Authenticate: claimsUser}, memstore.MustNew(store.Policy{}), &out)
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "f-1"})
	for i, status := range []float64{201, 200} {
		out.Reset()
		answer := invoke(ctx, t, f, `{"path": "/v1/device-tokens", "httpMethod": "POST", "headers": {"Content-Type": "application/json"},
			"requestContext": {"requestId": "g-1", "authorizer": {"claims": {"sub": "alice"}}},
			"body": "{\"deviceId\":\"phone\",\"expoPushToken\":\"ExponentPushToken[x]\",\"platform\":\"ios\"}"}`)
		headers := answer["multiValueHeaders"].(map[string]any)
		if !cmp.Equal(headers["X-Request-Id"], any([]any{"f-1"})) || headers["Content-Length"] != nil {
			t.Errorf("answer is %v", answer)
		}
		log, metric, _ := strings.Cut(strings.TrimSpace(out.String()), "\n")
		line, got := decode(t, []byte(log)), map[string]any{}
		want := map[string]any{
			"request_id": "f-1", "function_request_id": "f-1", "gateway_request_id": "g-1",
			"cold_start": i == 0, "status": status, "level": "INFO",
		}
		for attr := range want {
			got[attr] = line[attr]
		}
		if diff := cmp.Diff(want, got); diff != "" || decode(t, []byte(metric))["_aws"] == nil {
			t.Errorf("metrics are %s; log (-want +got):\n%s", metric, diff)
		}
		if text := out.String(); strings.Contains(text, "alice") || strings.Contains(text, "PushToken[") {
			t.Errorf("a secret is written:\n%s", text)
		}
	}
}

// A store that waits for its context leaves time for an answer.
func TestMargin(t *testing.T) {
	for _, test := range []struct{ left, want time.Duration }{
		{10 * time.Second, 10*time.Second - margin},
		{margin, margin / 2},
		{time.Millisecond, time.Millisecond / 2},
		{-time.Second, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			ctx, cancel := context.WithDeadline(t.Context(), began.Add(test.left))
			defer cancel()
			f := newFunction(t, Config{Authenticate: claimsUser}, listing(func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}), io.Discard)
			answer := invoke(ctx, t, f, listEvent)
			if answer["statusCode"] != 503.0 || !strings.Contains(answer["body"].(string), "try_again") {
				t.Errorf("answer is %v", answer)
			}
			if took := time.Since(began); took != test.want {
				t.Errorf("with %v left it took %v, want %v", test.left, took, test.want)
			}
		})
	}
}

// After a panic of the store the function answers the next event.
func TestPanic(t *testing.T) {
	var out bytes.Buffer
	calls := 0
	f := newFunction(t, Config{Authenticate: claimsUser}, listing(func(context.Context) error {
		if calls++; calls == 2 {
			panic("with a secret in it")
		}
		return nil
	}), &out)
	for _, want := range []float64{200, 500, 200} {
		if status := invoke(t.Context(), t, f, listEvent)["statusCode"]; status != want {
			t.Errorf("status is %v, want %v", status, want)
		}
	}
	if text := out.String(); !strings.Contains(text, `"stack"`) || strings.Contains(text, "secret") {
		t.Errorf("the log is\n%s", text)
	}
}

// listing returns a store whose List calls the function and returns no registrations.
func listing(list func(context.Context) error) store.Store {
	return listStore{memstore.MustNew(store.Policy{}), list}
}

type listStore struct {
	store.Store
	list func(context.Context) error
}

func (s listStore) List(ctx context.Context, _ tokens.UserID) ([]tokens.Registration, error) {
	return nil, s.list(ctx)
}

// Tokens of every kind, presented to one function.
func TestTokens(t *testing.T) {
	issuer, stranger := oidctest.New(t), oidctest.New(t)
	cfg, err := read(oidc, map[string]string{envIssuer: issuer.URL})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	f := newFunction(t, cfg, memstore.MustNew(store.Policy{}), &out)
	with := func(name string, value any) map[string]any {
		return map[string]any{"iss": issuer.URL, "sub": "alice", "token_use": "access", "client_id": "app", name: value}
	}
	check := func(name, bearer string, want float64) {
		t.Helper()
		answer := invoke(t.Context(), t, f, `{"path": "/v1/device-tokens", "httpMethod": "GET", "headers": {"Authorization": "Bearer `+bearer+`"}}`)
		if answer["statusCode"] != want {
			t.Errorf("%s: answer is %v, want status %v", name, answer, want)
		}
	}
	good, expired := issuer.Token(t, with("sub", "alice")), issuer.Token(t, with("exp", 1))
	issuer.Answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	check("keys that cannot be fetched", good, 503)
	check("expired, and keys that cannot be fetched", expired, 401)
	issuer.Answer(nil)
	check("good", good, 200)
	check("expired", expired, 401)
	check("wrong audience", issuer.Token(t, with("client_id", "another-app")), 401)
	check("unknown key", stranger.Token(t, with("sub", "alice")), 401)
	check("nothing", "", 401)
	issuer.Rotate(t)
	check("rotated key", issuer.Token(t, with("sub", "alice")), 200)
	check("the old key", good, 401)
	check("no user id that can be stored", issuer.Token(t, with("sub", "#alice")), 403)
	if text := out.String(); strings.Contains(text, "alice") || strings.Contains(text, "eyJ") {
		t.Errorf("a user or a token is in the log:\n%s", text)
	}
}

// listEvent is a REST event of alice's.
const listEvent = `{"path": "/v1/device-tokens", "httpMethod": "GET", "requestContext": {"authorizer": {"claims": {"sub": "alice"}}}}`

// invoke invokes the function with an event and returns its answer.
func invoke(ctx context.Context, t *testing.T, f *Function, event string) map[string]any {
	t.Helper()
	answer, err := f.Invoke(ctx, []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, answer)
}

func decode(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(data, &object); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	return object
}

func newFunction(t testing.TB, cfg Config, s store.Store, w io.Writer) *Function {
	t.Helper()
	f, err := New(cfg, s, w)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Without an authorizer each request fails, but not with a 401, which would log the user
// out. Claims that are not Unicode could be those of another user.
func TestClaims(t *testing.T) {
	var out bytes.Buffer
	f := newFunction(t, Config{Authenticate: claimsUser}, memstore.MustNew(store.Policy{}), &out)
	const noAuthorizer, notUnicode = "add an authorizer to the route", "not Unicode"
	rest := `{"path": "/v1/device-tokens", "httpMethod": "GET", "requestContext": `
	http := `{"version": "2.0", "rawPath": "/v1/device-tokens", "requestContext": {"http": {"method": "GET"}, "authorizer": `
	for event, want := range map[string]struct {
		status float64
		says   string
	}{
		rest + `{}}`: {500, noAuthorizer},
		rest + `{"authorizer": {"claims": {"email": "a@example"}}}}`:   {500, noAuthorizer},
		rest + `{"authorizer": {"claims": {"sub": 7}}}}`:               {500, noAuthorizer},
		rest + `{"authorizer": {"claims": {"Sub": "alice"}}}}`:         {500, noAuthorizer},
		rest + `{"authorizer": "alice"}}`:                              {500, noAuthorizer},
		http + `{"iam": {"userId": "alice"}}}}`:                        {500, "function URL"},
		http + `{"jwt": {"claims": [{"sub": "alice"}]}}}}`:             {500, noAuthorizer},
		rest + `{"authorizer": {"claims": {"sub": "u\ud800"}}}}`:       {401, notUnicode},
		rest + "{\"authorizer\": {\"claims\": {\"sub\": \"u\xff\"}}}}": {401, notUnicode},
		http + `{"jwt": {"claims": {"sub": "u\udfff"}}}}}`:             {401, notUnicode},
		http + `{"jwt": {"claims": {"sub": "u\ufffd"}}}}}`:             {401, notUnicode},
		http + `{"jwt": {"claims": {"sub": "u", "x": "\ud800"}}}}}`:    {401, notUnicode},
		http + `{"jwt": {"claims": {"sub": "\ud83d\ude00"}}}}}`:        {200, ""},
	} {
		out.Reset()
		if status := invoke(t.Context(), t, f, event)["statusCode"]; status != want.status || !strings.Contains(out.String(), want.says) {
			t.Errorf("%s: status is %v, want %v; the log has:\n%s", event, status, want.status, out.String())
		}
	}
}

// The function works with any store: only package main depends on the AWS SDK.
func TestDependencies(t *testing.T) {
	const root = "github.com/devicetokens/devicetokens/examples/lambda"
	for pkg, want := range map[string]bool{root: true, root + "/internal/function": false} {
		output, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(output), "github.com/aws/aws-sdk-go-v2"); got != want {
			t.Errorf("%s depends on the SDK: %t, want %t", pkg, got, want)
		}
	}
}
