package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// TestProgram builds the program and runs it as an operator does.
func TestProgram(t *testing.T) {
	d := newDesk(t)
	d.register("alice", "phone", tokenA)
	binary := filepath.Join(t.TempDir(), "admin")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Setenv(envTable, d.table)
	program := func(stdin string, args ...string) outcome {
		var out, errs bytes.Buffer
		cmd := exec.CommandContext(t.Context(), binary, append([]string{"--endpoint", dynamotest.Endpoint(t)}, args...)...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
		_ = cmd.Run() // its exit code is compared
		return outcome{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
	}
	program(tokenA, "holder").want(t, exitOK, "alice", "phone", "active")
	program("y\n", "deactivate", "alice", "phone").want(t, exitOK, "logout")
	program("", "erase", "alice").want(t, exitFailed, "nothing was changed")
	program("", "erase", "alice", "--yes").want(t, exitOK, "LEFT")
	program("", "help").want(t, exitOK, "Available Commands:")
	program("", "help", "upgrade").want(t, exitOK, "admin upgrade [flags]", "--dry-run")
	program("", "list").want(t, exitUsage, "see 'admin --help'")
	equal(t, "devices", 0, len(d.statuses("alice")))
}

// help is what the program prints for --help.
func help(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	p := &program{in: strings.NewReader(""), out: &out, err: &out, getenv: func(string) string { return "a table" }}
	if code := p.run(context.Background(), append(args, "--help")); code != exitOK {
		t.Fatalf("exit code is %d: %s", code, &out)
	}
	return out.String()
}

// TestREADME checks that the README is one screen and shows each command of --help.
func TestREADME(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(text)
	if lines := strings.Count(readme, "\n"); lines > 60 {
		t.Errorf("README has %d lines, which is more than a screen", lines)
	}
	for _, command := range regexp.MustCompile(`(?m)^  ([a-z]+)  `).FindAllStringSubmatch(help(t), -1) {
		if name := command[1]; name != "help" && !strings.Contains(readme, "admin "+name) {
			t.Errorf("README has no command line of admin %s", name)
		}
	}
	// Every command line in the README, and each flag in it, is one that there is.
	lines := regexp.MustCompile(`(?m)(?:^|\| )admin ([a-z]+)(.*)$`).FindAllStringSubmatch(readme, -1)
	if len(lines) < 6 {
		t.Errorf("README has %d command lines, want one of each command", len(lines))
	}
	for _, line := range lines {
		about := help(t, line[1])
		if !strings.Contains(about, "admin "+line[1]) {
			t.Errorf("there is no command %s", line[1])
		}
		for _, flag := range regexp.MustCompile(`--?[a-z][a-z-]*`).FindAllString(line[2], -1) {
			if !strings.Contains(about, flag) {
				t.Errorf("admin %s has no flag %s", line[1], flag)
			}
		}
	}
}
