package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/examples/lambda/internal/pack"
	"github.com/devicetokens/devicetokens/examples/lambda/internal/standin"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth/oidctest"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// faultEnv makes this test binary a bootstrap with a fault, see failure_test.go.
const faultEnv = "TEST_FAULT"

// What TestMain builds: the zips that are deployed, and the bootstrap that is in the
// one for this kind of processor; and the program that makes zips.
var dist, bootstrap, packer string

// makeZips does what `make lambda` does, with the program that TestMain built: a
// process without the race detector takes a tenth of the time.
func makeZips(ctx context.Context, dir string, processors ...string) error {
	cmd := exec.CommandContext(ctx, packer, append([]string{"-dir", dir}, processors...)...)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pack: %w: %s", err, output)
	}
	return nil
}

func TestMain(m *testing.M) {
	if fault := os.Getenv(faultEnv); fault != "" {
		startFaulty(fault)
		return
	}
	dir, err := os.MkdirTemp("", "lambda-")
	if err != nil {
		log.Fatal(err)
	}
	code := 1
	if err = build(dir); err == nil {
		code = m.Run()
	}
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		log.Fatal(err)
	}
	os.Exit(code)
}

func build(dir string) error {
	dist, packer = dir, filepath.Join(dir, "pack")
	if output, err := exec.Command("go", "build", "-o", packer, "./pack").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, output)
	}
	if err := makeZips(context.Background(), dir); err != nil {
		return err
	}
	bootstrap = filepath.Join(dir, pack.Name)
	if runtime.GOOS != "linux" { // where the deployed binary does not run
		return pack.Binary(context.Background(), ".", runtime.GOOS, runtime.GOARCH, bootstrap)
	}
	files, err := zip.OpenReader(zipPath(dir, runtime.GOARCH))
	if err != nil {
		return err
	}
	defer files.Close()
	return os.CopyFS(dir, files)
}

func zipPath(dir, arch string) string { return filepath.Join(dir, "device-tokens-"+arch+".zip") }

// deployed is a function in its environment, and what it prints.
type deployed struct {
	standin.Lambda
	output output
}

// deploy makes a function of the built bootstrap. env changes its variables; ""
// removes one.
func deploy(t *testing.T, env map[string]string) *deployed {
	t.Helper()
	f := &deployed{}
	f.Command = []string{bootstrap}
	f.Env = map[string]string{
		"DEVICE_TOKEN_TABLE_NAME":  "device-tokens",
		"DEVICE_TOKEN_STAGE":       "prod",
		"DEVICE_TOKEN_TTL":         "2160h",
		"DEVICE_TOKEN_MAX_DEVICES": "20",
		"DEVICE_TOKEN_LOG_LEVEL":   "info",
		"DEVICE_TOKEN_AUTH":        "claims",
	}
	for name, value := range env {
		f.Env[name] = value
	}
	f.Output = &f.output
	t.Cleanup(func() {
		f.Close()
		if t.Failed() {
			t.Logf("the function printed:\n%s", f.output.String())
		}
	})
	return f
}

// onTable is the environment of a function on a table of its own.
func onTable(t *testing.T) map[string]string {
	t.Helper()
	// DynamoDB Local keeps tables apart by access key and region.
	return map[string]string{
		"DEVICE_TOKEN_TABLE_NAME":   dynamotest.Table(t, dynamotest.Client(t, nil)),
		"AWS_ENDPOINT_URL_DYNAMODB": dynamotest.Endpoint(t),
		"AWS_REGION":                "us-east-1",
	}
}

// withOIDC adds the settings for an issuer's tokens to an environment.
func withOIDC(env map[string]string, issuer *oidctest.Issuer, kind string) map[string]string {
	env["DEVICE_TOKEN_AUTH"] = "oidc"
	env["DEVICE_TOKEN_OIDC_ISSUER"] = issuer.URL
	env["DEVICE_TOKEN_OIDC_AUDIENCE"] = "the-app"
	env["DEVICE_TOKEN_OIDC_TOKEN"] = kind
	return env
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// bearerIsUser is an authorizer that takes the bearer token for the user, as
// examples/local does.
func bearerIsUser(r *http.Request) (map[string]string, bool) {
	user, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return map[string]string{"sub": user, "token_use": "id"}, ok
}

// An output keeps what a process prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// event is a REST event of alice's.
func event(method, query, body string) []byte {
	return fmt.Appendf(nil, `{"path":"/v1/device-tokens","httpMethod":%q,"multiValueHeaders":{"Content-Type":["application/json"]},
		"multiValueQueryStringParameters":%s,"requestContext":{"authorizer":{"claims":{"sub":"alice"}}},"body":%q}`, method, query, body)
}

var listEvent = event("GET", "null", "")

// generous is a time-out that no healthy call comes near.
const generous = 30 * time.Second
