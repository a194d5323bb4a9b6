package examples_test

import (
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
	for _, program := range []string{"grep", "xargs", "perl", "tar"} {
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
	const library = "github.com/devicetokens/devicetokens"
	for _, line := range slices.Concat([]string{"tar -C " + root + "/examples --exclude=node_modules -cf - . | tar -xf -"}, lines[:published], []string{
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
