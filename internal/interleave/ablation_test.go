//go:build ablation

package interleave

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// most is the number of schedules that are played for a rule.
const most = 200

func TestRules(t *testing.T) {
	t.Setenv("DYNAMODB_ENDPOINT", dynamotest.Endpoint(t)) // one engine for all
	whole := build(t, "")
	lines := make([]string, len(rules))
	t.Run("without", func(t *testing.T) {
		for i, r := range rules {
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				lines[i] = leaveOut(t, r, whole)
			})
		}
	})
	t.Logf("rules that were left out, and what noticed:\n%s", strings.Join(slices.DeleteFunc(lines, func(l string) bool { return l == "" }), "\n"))
}

// leaveOut removes the rule, and returns a line with the violation.
func leaveOut(t *testing.T, r rule, whole string) string {
	t.Helper()
	began := time.Now()
	overlay, err := r.overlay(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	without := build(t, overlay)
	if r.script != "" {
		return playScript(t, r, without, whole)
	}
	seed := max(r.seed, 1)
	v := play(t, without, seed, most)
	if v == nil {
		t.Fatalf("%d schedules from seed %d on, and nothing was noticed", most, seed)
	}
	if w := play(t, whole, v.seed, 1); w != nil {
		t.Fatalf("seed %d is a violation with the rule, too: %s", v.seed, w.text)
	}
	return fmt.Sprintf("%-66s seed %4d, schedule %3d, %4.1f s: %s",
		r.name, v.seed, v.seed-seed+1, time.Since(began).Seconds(), v.text)
}

// playScript plays the rule's script, which must fail without the rule and pass with it.
func playScript(t *testing.T, r rule, without, whole string) string {
	t.Helper()
	pattern := "-test.run=^TestScripts$/^" + r.script + "$"
	_, err := run(t, without, pattern)
	if err == nil {
		t.Fatalf("the script %s noticed nothing", r.script)
	}
	if out, err := run(t, whole, pattern); err != nil {
		t.Fatalf("the script %s fails with the rule, too: %s", r.script, out)
	}
	return fmt.Sprintf("%-66s script %s", r.name, r.script)
}

func run(t *testing.T, binary string, args ...string) ([]byte, error) {
	return exec.CommandContext(t.Context(), binary, args...).CombinedOutput()
}

// overlay writes a file for go build -overlay to dir, and returns its name.
func (r rule) overlay(dir string) (string, error) {
	file, source, err := r.without()
	if err != nil {
		return "", err
	}
	replacement := filepath.Join(dir, filepath.Base(file))
	if err := os.WriteFile(replacement, []byte(source), 0o600); err != nil {
		return "", err
	}
	replaced, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(map[string]map[string]string{"Replace": {replaced: replacement}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, b, 0o600)
}

// build builds the test binary of this package without this file.
func build(t *testing.T, overlay string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "interleave.test")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", overlay, "-o", binary, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return binary
}

type violation struct {
	seed uint64
	text string
}

var violationLine = regexp.MustCompile(`-interleave\.seed=(\d+): (?:.* answered )?(.*)`)

// play returns the first violation of the schedules, or nil.
func play(t *testing.T, binary string, seed uint64, schedules int) *violation {
	t.Helper()
	out, err := run(t, binary, "-test.run=^TestSchedules$",
		fmt.Sprintf("-interleave.seed=%d", seed), fmt.Sprintf("-interleave.schedules=%d", schedules))
	if err == nil {
		return nil
	}
	m := violationLine.FindSubmatch(out)
	if m == nil {
		t.Fatalf("no violation, but a failure: %v: %s", err, out)
	}
	var v violation
	if _, err := fmt.Sscan(string(m[1]), &v.seed); err != nil {
		t.Fatal(err)
	}
	v.text = string(m[2][:min(len(m[2]), 100)])
	return &v
}
