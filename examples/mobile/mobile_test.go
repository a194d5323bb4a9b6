// Package mobile_test runs the TypeScript tests in this folder as tests of the module.
package mobile_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The packages that the tests need, which `make mobile` installs.
const bin = "node_modules/.bin/"

// run runs a Node.js program in this folder and returns its output.
func run(t *testing.T, environment []string, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), environment...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v (run `make mobile` to install its packages)\n%s", program, err, out)
	}
	return out
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// needPackages skips the test if Node.js or the packages of this folder are missing. Under
// CI it fails the test instead.
func needPackages(t *testing.T) {
	t.Helper()
	_, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(bin)
	}
	switch {
	case err == nil:
	case os.Getenv("CI") == "":
		t.Skipf("%v: install Node.js 20 or newer and run `make mobile`", err)
	default:
		t.Fatal(err)
	}
}

// result is a line of TAP, the output of node --test.
var result = regexp.MustCompile(`(?m)^\s*(ok|not ok) \d+ - (.*)$`)

// TestNode compiles the TypeScript, which also checks its types, and runs its tests, some of
// them against the real server. Each test is a subtest here.
func TestNode(t *testing.T) {
	needPackages(t)
	server := filepath.Join(t.TempDir(), "local")
	run(t, nil, "go", "build", "-o", server, "../local")
	build := t.TempDir()
	run(t, nil, bin+"tsc", "--project", "tsconfig.json", "--outDir", build)
	tests, err := filepath.Glob(filepath.Join(build, "test", "*.test.js"))
	if err != nil || len(tests) == 0 || t.Failed() {
		t.Fatalf("%d files of tests, %v", len(tests), err)
	}
	out := run(t, []string{"LOCAL_SERVER=" + server}, "node", append([]string{"--test", "--test-timeout=60000", "--test-reporter=tap"}, tests...)...)

	results := result.FindAllStringSubmatch(string(out), -1)
	for _, found := range results {
		t.Run(found[2], func(t *testing.T) {
			if found[1] != "ok" || strings.Contains(found[2], "# SKIP") || strings.Contains(found[2], "# TODO") {
				t.Error("see the output of node above")
			}
		})
	}
	if len(results) < 60 {
		t.Errorf("%d tests ran:\n%s", len(results), out)
	}
}

var update = flag.Bool("update", false, "write src/openapi.ts")

// TestOpenAPITypes checks that src/openapi.ts has the document's schemas up to Registered, which the client uses.
func TestOpenAPITypes(t *testing.T) {
	needPackages(t)
	generated := filepath.Join(t.TempDir(), "openapi.ts")
	run(t, nil, bin+"openapi-typescript", "../../httpapi/openapi.yaml", "--output", generated)
	text := read(t, generated)
	schemas := regexp.MustCompile(`(?s)export interface components \{\n    schemas: \{\n.*?\n        Registered: [^\n]*\n`).Find(text)
	if schemas == nil {
		t.Fatalf("there are no schemas in\n%s", text)
	}
	want := "// Generated from httpapi/openapi.yaml: go -C examples test ./mobile -run OpenAPI -update\n\n" + string(schemas) + "    };\n}\n"
	const name = "src/openapi.ts"
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got := read(t, name)
	if want != string(got) {
		t.Errorf("%s is not what the document says: run this test with -update", name)
	}
}

// TestOverrides checks that each overridden version is needed: a package of the lock file
// asks for another one.
func TestOverrides(t *testing.T) {
	var folder struct {
		Overrides map[string]string `json:"overrides"`
	}
	var lock struct {
		Packages map[string]struct {
			Dependencies map[string]string `json:"dependencies"`
		} `json:"packages"`
	}
	for name, into := range map[string]any{"expo/package.json": &folder, "expo/package-lock.json": &lock} {
		if err := json.Unmarshal(read(t, name), into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for name, version := range folder.Overrides {
		needed := false
		for _, p := range lock.Packages {
			asked := p.Dependencies[name]
			needed = needed || asked != "" && strings.TrimLeft(asked, "~^") != version
		}
		if !needed {
			t.Errorf("no package asks for a version of %s other than %s: remove the override", name, version)
		}
	}
}

// TestDocument checks that each TypeScript block of docs/mobile.md is in a file of src, whose
// types are checked.
func TestDocument(t *testing.T) {
	document := read(t, "../../docs/mobile.md")
	var sources []byte
	files, err := filepath.Glob("src/*.ts")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		sources = append(sources, read(t, file)...)
	}
	blocks := regexp.MustCompile("(?s)```ts\n(.*?)```").FindAllSubmatch(document, -1)
	for _, block := range blocks {
		if !bytes.Contains(sources, block[1]) {
			t.Errorf("this code is in no file of src:\n%s", block[1])
		}
	}
	if len(blocks) < 3 {
		t.Errorf("%d blocks of TypeScript, want more", len(blocks))
	}
}
