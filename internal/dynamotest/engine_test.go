package dynamotest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// needEngine returns the folder of DynamoDB Local; where there is none it skips or fails like Endpoint.
func needEngine(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	withoutEndpoint := func(name string) string {
		if name == "DYNAMODB_ENDPOINT" {
			return ""
		}
		return os.Getenv(name)
	}
	return endpoint(t, withoutEndpoint, func() (string, error) { return locate(dir, exec.LookPath) })
}

func TestStartFailureShowsOutput(t *testing.T) {
	needEngine(t)
	state := t.TempDir()
	_, err := share(t.TempDir(), state)
	if err == nil || !strings.Contains(err.Error(), "ServerRunner") {
		t.Errorf("got error %v, want one with Java's complaint about the class ServerRunner", err)
	}
}

// TestEngineIsShared has several callers at once, who find the address of an engine that is gone, where another server
// answers by now. They have to get one new engine, which outlives them until it is no longer used.
func TestEngineIsShared(t *testing.T) {
	lib, state := needEngine(t), t.TempDir()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	stale := strings.TrimPrefix(other.URL, "http://")
	if err := os.WriteFile(filepath.Join(state, addressFile), []byte(stale), 0o644); err != nil {
		t.Fatal(err)
	}

	var urls [4]string
	var callers sync.WaitGroup
	for i := range urls {
		callers.Go(func() {
			var err error
			if urls[i], err = share(lib, state); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	addr := strings.TrimPrefix(urls[0], "http://")
	if urls != [4]string{urls[0], urls[0], urls[0], urls[0]} || addr == stale || !answers(addr) {
		t.Errorf("got the engines %q, want one that answers", urls)
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
			t.Fatalf("the engine at %s goes on unused", addr)
		case <-poll.C:
		}
	}
}
