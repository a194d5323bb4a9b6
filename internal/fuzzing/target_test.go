package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseList(t *testing.T) {
	const out = "FuzzA\nFuzzB\nok  \texample.org/p\t0.1s\nok  \texample.org/q\t0.1s [no tests to run]\n?   \texample.org/r\t[no test files]\nFuzzC\nok  \texample.org/s\t0.1s\n"
	want := []target{{"m", "example.org/p", "FuzzA"}, {"m", "example.org/p", "FuzzB"}, {"m", "example.org/s", "FuzzC"}}
	if diff := cmp.Diff(want, parseList("m", out), cmp.AllowUnexported(target{})); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
}

func TestRead(t *testing.T) {
	const running = "fuzz: elapsed: 0s, gathering baseline coverage: 0/9 completed\nfuzz: elapsed: 3s, execs: 10 (3/sec), new interesting: 1 (total: 10)\n" +
		"fuzz: elapsed: 6s, execs: 25 (5/sec), new interesting: 2 (total: 11)\n"
	for name, tt := range map[string]struct {
		out   string
		want  fuzzed
		ended bool
	}{
		"all well":  {running + "PASS\n", fuzzed{executions: 25, inputs: 2, total: 11}, false},
		"time's up": {running + "--- FAIL: FuzzA (6.00s)\n    context deadline exceeded\nFAIL\n", fuzzed{executions: 25, inputs: 2, total: 11}, true},
		"a crash":   {running + "    Failing input written to testdata/fuzz/FuzzA/0a\n", fuzzed{executions: 25, inputs: 2, total: 11, crashes: 1}, false},
		"a seed":    {"failure while testing seed corpus entry: FuzzA/seed#0\n", fuzzed{crashes: 1}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var got fuzzed
			if ended := got.read(tt.out); ended != tt.ended {
				t.Errorf("time was up: %t, want %t", ended, tt.ended)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(fuzzed{}, target{})); diff != "" {
				t.Errorf("figures (-want +got):\n%s", diff)
			}
		})
	}
}

// TestKeep has more inputs than are kept.
func TestKeep(t *testing.T) {
	cache := t.TempDir()
	module := t.TempDir()
	found := filepath.Join(cache, "example.org/p", "FuzzA")
	if err := os.MkdirAll(found, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		filepath.Join(found, "a"): "longest", filepath.Join(found, "b"): "short", filepath.Join(found, "c"): "longer",
		filepath.Join(module, "go.mod"): "module example.org/p\n", filepath.Join(module, "p.go"): "package p\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second run finds enough there
		if err := (target{module, "example.org/p", "FuzzA"}).keep(cache, 2); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := filepath.Glob(filepath.Join(module, "testdata/fuzz/FuzzA/*"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(module, "testdata/fuzz/FuzzA/b"), filepath.Join(module, "testdata/fuzz/FuzzA/c")}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
}
