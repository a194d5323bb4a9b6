package main

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"maps"
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

	"github.com/devicetokens/devicetokens/examples/lambda/internal/standin"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth/oidctest"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// faultEnv makes this test binary a bootstrap with a fault: see failure_test.go.
const faultEnv = "TEST_FAULT"

// What TestMain builds: the zips that are deployed, the bootstrap in the zip for this kind
// of processor, and the program that makes zips. A process without the race detector makes
// them in a tenth of the time.
var dist, bootstrap, packer string

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
	if err = buildAll(dir); err == nil {
		code = m.Run()
	}
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		log.Fatal(err)
	}
	os.Exit(code)
}

func buildAll(dir string) error {
	dist, packer, bootstrap = dir, filepath.Join(dir, "pack"), filepath.Join(dir, "bootstrap")
	if err := command("go", "build", "-o", packer, "./pack"); err != nil {
		return err
	}
	if err := command(packer, "-dir", dir); err != nil {
		return err
	}
	if runtime.GOOS != "linux" { // where the deployed binary does not run
		return command("go", "build", "-tags=lambda.norpc", "-o", bootstrap, ".")
	}
	files, err := zip.OpenReader(zipPath(dir, runtime.GOARCH))
	if err != nil {
		return err
	}
	return errors.Join(os.CopyFS(dir, files), files.Close())
}

func command(name string, args ...string) error {
	if output, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(name), err, output)
	}
	return nil
}

func zipPath(dir, arch string) string { return filepath.Join(dir, "device-tokens-"+arch+".zip") }

// maxZipBytes limits what a cold start has to fetch and unpack.
const maxZipBytes = 4 << 20

// Each zip has the executable for its kind of processor and nothing else.
func TestArchives(t *testing.T) {
	for arch, machine := range map[string]elf.Machine{"arm64": elf.EM_AARCH64, "amd64": elf.EM_X86_64} {
		data, err := os.ReadFile(zipPath(dist, arch))
		if err != nil || len(data) > maxZipBytes {
			t.Errorf("%s has %d bytes, want at most %d: %v", arch, len(data), maxZipBytes, err)
		}
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode() != 0o755 {
			t.Fatalf("the zip has %d files, the first is %s with mode %v", len(z.File), z.File[0].Name, z.File[0].Mode())
		}
		program, err := fs.ReadFile(z, "bootstrap")
		if err != nil {
			t.Fatal(err)
		}
		header, err := elf.NewFile(bytes.NewReader(program))
		if err != nil || header.Class != elf.ELFCLASS64 || header.Machine != machine {
			t.Errorf("%s has a program for %+v: %v", arch, header, err)
		}
	}
}

// The environment of a developer does not change the zip.
func TestReproducible(t *testing.T) {
	t.Setenv("GOAMD64", "v3")
	t.Setenv("GOARM64", "v9.0")
	t.Setenv("GOFLAGS", "-trimpath=false")
	again := t.TempDir()
	if err := command(packer, "-dir", again, "amd64"); err != nil {
		t.Fatal(err)
	}
	first, err1 := os.ReadFile(zipPath(dist, "amd64"))
	second, err2 := os.ReadFile(zipPath(again, "amd64"))
	if err := errors.Join(err1, err2); err != nil || !bytes.Equal(first, second) {
		t.Errorf("two builds differ: %v", err)
	}
	if err := command(packer, "-dir", again, "vax"); err == nil {
		t.Error("built for an unknown processor")
	}
}

// deployed is a function in its environment, and what it prints.
type deployed struct {
	standin.Lambda
	output output
}

// deploy makes a function of the built bootstrap. env changes its variables; ""
// removes one.
func deploy(t testing.TB, env map[string]string) *deployed {
	t.Helper()
	f := &deployed{}
	f.Command = bootstrap
	f.Env = map[string]string{
		"DEVICE_TOKEN_TABLE_NAME": "device-tokens",
		"DEVICE_TOKEN_STAGE":      "prod",
		"DEVICE_TOKEN_AUTH":       "claims",
	}
	maps.Copy(f.Env, env)
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

func serve(t testing.TB, h http.Handler) string {
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
