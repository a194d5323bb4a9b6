package dynamotest

import (
	"errors"
	"fmt"
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
)

func TestURLDecides(t *testing.T) {
	none := func() (string, error) { return "", dynamoDBLocal.missing("run this") }
	broken := func() (string, error) { return "", errors.New("it died") }
	started := func() (string, error) { return "http://started", nil }
	const endpoint, nothing = "DYNAMODB_ENDPOINT", "DynamoDB: nothing to test against: run this, or set DYNAMODB_ENDPOINT"
	for name, tt := range map[string]struct {
		env    map[string]string
		engine func() (string, error)
		want   string
	}{
		"environment first": {map[string]string{endpoint: "http://given"}, started, "use http://given"},
		"engine":            {nil, started, "use http://started"},
		"no engine":         {nil, none, "skip: " + nothing},
		"no engine in CI":   {map[string]string{"CI": "true"}, none, "fail: " + nothing},
		"broken engine":     {nil, broken, "fail: it died"},
	} {
		t.Run(name, func(t *testing.T) {
			tb := &recorder{TB: t}
			done := make(chan struct{})
			go func() { // Skip and Fatal end their goroutine
				defer close(done)
				url := dynamoDBLocal.choose(tb, func(key string) string { return tt.env[key] }, tt.engine)
				tb.verdict = "use " + url
			}()
			<-done
			if tb.verdict != tt.want {
				t.Errorf("got %q, want %q", tb.verdict, tt.want)
			}
		})
	}
}

type recorder struct {
	testing.TB
	verdict string
}

func (r *recorder) Skip(args ...any)  { r.end("skip: " + fmt.Sprint(args...)) }
func (r *recorder) Fatal(args ...any) { r.end("fail: " + fmt.Sprint(args...)) }

func (r *recorder) end(verdict string) {
	r.verdict = verdict
	runtime.Goexit()
}

func TestLocate(t *testing.T) {
	for name, tt := range map[string]struct {
		fetched string // content of pom.xml beside the jars; "": nothing is fetched
		absent  string // a program
		wantErr string // part of it; "": none
	}{
		"fetched":                 {pom, "", ""},
		"nothing fetched":         {"", "", "run `make dynamodb-local` once"},
		"another version fetched": {"<project/>", "", "not the version wanted"},
		"no Java":                 {pom, "java", "java is not on the PATH"},
		"no shell":                {pom, "sh", "sh is not on the PATH"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			lib := filepath.Join(root, ".cache", "dynamodb-local")
			below := filepath.Join(root, "examples", "local")
			for _, dir := range []string{lib, below} {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if tt.fetched != "" {
				if err := os.WriteFile(filepath.Join(lib, "pom.xml"), []byte(tt.fetched), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := dynamoDBLocal.locate(below, func(program string) (string, error) {
				if program == tt.absent {
					return "", exec.ErrNotFound
				}
				return program, nil
			})
			if tt.wantErr == "" && (err != nil || got != lib) {
				t.Errorf("got %q, %v, want %q", got, err, lib)
			}
			if tt.wantErr != "" && (!errors.Is(err, errMissing) || !strings.Contains(err.Error(), tt.wantErr)) {
				t.Errorf("got error %v, want errMissing with %q", err, tt.wantErr)
			}
		})
	}
}

// needEngine returns the folder of DynamoDB Local, or skips or fails like Endpoint.
func needEngine(t *testing.T) string {
	t.Helper()
	onlyCI := func(name string) string { return map[string]string{"CI": os.Getenv("CI")}[name] }
	return dynamoDBLocal.choose(t, onlyCI, dynamoDBLocal.Locate)
}

func TestStartFailureShowsOutput(t *testing.T) {
	needEngine(t)
	state := t.TempDir()
	_, err := dynamoDBLocal.share(t.TempDir(), state)
	if err == nil || !strings.Contains(err.Error(), "ServerRunner") {
		t.Errorf("got error %v, want one with Java's message about the class ServerRunner", err)
	}
}

// TestEngineIsShared has concurrent callers who find the address of an engine that ended. They
// get one new engine, which ends when it is no longer used.
func TestEngineIsShared(t *testing.T) {
	lib, state := needEngine(t), t.TempDir()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	stale := strings.TrimPrefix(other.URL, "http://")
	if err := os.WriteFile(filepath.Join(state, addressFile), []byte(stale), 0o644); err != nil {
		t.Fatal(err)
	}

	var addresses [4]string
	var callers sync.WaitGroup
	for i := range addresses {
		callers.Go(func() {
			var err error
			if addresses[i], err = dynamoDBLocal.share(lib, state); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	addr := addresses[0]
	if addresses != [4]string{addr, addr, addr, addr} || addr == stale || !answers(addr) {
		t.Errorf("got the engines %q, want one that answers", addresses)
	}

	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(state, usedFile), long, long); err != nil {
		t.Fatal(err)
	}
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(time.Minute)
	for answers(addr) {
		select {
		case <-deadline:
			t.Fatalf("the engine at %s runs unused", addr)
		case <-poll.C:
		}
	}
}
