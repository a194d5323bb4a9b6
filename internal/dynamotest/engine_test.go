package dynamotest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// needEngine returns the folder of DynamoDB Local; where there is none it skips or fails like Endpoint.
func needEngine(t *testing.T) string {
	t.Helper()
	ci := func(name string) string {
		if name == "CI" {
			return os.Getenv(name)
		}
		return ""
	}
	return dynamoDBLocal.choose(t, ci, dynamoDBLocal.Locate)
}

func TestStartFailureShowsOutput(t *testing.T) {
	needEngine(t)
	state := t.TempDir()
	_, err := dynamoDBLocal.share(t.TempDir(), state)
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
			t.Fatalf("the engine at %s goes on unused", addr)
		case <-poll.C:
		}
	}
}
