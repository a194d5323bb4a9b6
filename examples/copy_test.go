package examples_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestCopied copies this folder into a new module, as the README describes, and
// vets it. Only the library is not the published one.
func TestCopied(t *testing.T) {
	for _, program := range []string{"grep", "xargs", "perl"} {
		if _, err := exec.LookPath(program); err != nil && os.Getenv("CI") == "" {
			t.Skipf("%v: install %s", err, program)
		}
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```sh\n(.*?)```").FindSubmatch(readme)
	if block == nil {
		t.Fatal("README.md does not say how to copy")
	}
	lines := strings.Split(strings.TrimSpace(string(block[1])), "\n")
	published := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "go get ") })
	if published < 3 || published > len(lines)-2 {
		t.Fatalf("the lines are %q", lines)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	copyTo(t, folder)
	const library = "github.com/devicetokens/devicetokens"
	for _, line := range slices.Concat(lines[:published], []string{
		"go mod edit -replace=" + library + "=" + root + " -replace=" + library + "/httpapi/oidcauth=" + root + "/httpapi/oidcauth",
		"go vet -mod=mod ./...",
	}) {
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", line)
		cmd.Dir = folder
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
}

// copyTo copies the files that Go builds programs from.
func copyTo(t *testing.T, folder string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && name == "node_modules":
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(folder, path), 0o700)
		case !slices.Contains([]string{".go", ".mod", ".sum", ".html", ".css", ".js", ".svg"}, filepath.Ext(name)):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(folder, path), text, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}
