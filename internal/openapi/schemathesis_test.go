//go:build schemathesis

package openapi

import (
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var (
	tool     = flag.String("schemathesis", "schemathesis", "the `program` to run")
	examples = flag.Int("examples", 100, "the number of examples of each operation")
)

// TestSchemathesis tests the API against the document with schemathesis.
func TestSchemathesis(t *testing.T) {
	server := httptest.NewServer(httpapi.MustNew(memstore.MustNew(store.Policy{}), func(r *http.Request) (tokens.UserID, error) {
		if r.Header.Get("Authorization") != "Bearer valid" {
			return "", httpapi.ErrUnauthenticated
		}
		return "alice", nil
	}, httpapi.Options{Logger: slog.New(slog.DiscardHandler)}))
	defer server.Close()
	document := filepath.Join(t.TempDir(), "openapi.yaml")
	if err := os.WriteFile(document, httpapi.OpenAPI(), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), *tool, "run", "--url", server.URL, "--header", "Authorization: Bearer valid",
		"--checks", "all", "--max-examples", strconv.Itoa(*examples), "--no-color", document)
	cmd.Dir = t.TempDir() // it writes files to its working directory
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
}
