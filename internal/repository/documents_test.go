// Package repository tests the repository itself: links, code, commands and
// length of its documents, the changelog, and which package may depend on which.
package repository

import (
	"go/scanner"
	"go/token"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	maxWords       = 16_000 // of all documents together, as `wc -w` counts them
	maxREADMELines = 150
)

func TestMarkdownIsShort(t *testing.T) {
	words := 0
	for _, path := range files(t, ".md") {
		words += len(strings.Fields(read(t, path)))
	}
	if words > maxWords {
		t.Errorf("all documents have %d words, want at most %d", words, maxWords)
	}
	if lines := strings.Count(read(t, filepath.Join(root, "README.md")), "\n"); lines > maxREADMELines {
		t.Errorf("README.md has %d lines, want at most %d", lines, maxREADMELines)
	}
}

// banned are words that replace the name of a subject.
var banned = regexp.MustCompile(`(?i)\b(whoever|whomever|whatever|somebody|nobody|anybody|everybody|someone|anyone|the one that|the one who)\b`)

// TestWords checks that documents, comments and the strings of programs name their
// subjects: the store, the caller, the row. The strings of tests may be names of users.
func TestWords(t *testing.T) {
	check := func(path string, line int, text string) {
		for i, l := range strings.Split(text, "\n") {
			if found := banned.FindString(l); found != "" {
				t.Errorf("%s:%d: %q: name the subject", path, line+i, found)
			}
		}
	}
	for _, ext := range []string{".md", ".tf", ".yaml"} {
		for _, path := range files(t, ext) {
			check(path, 1, read(t, path))
		}
	}
	for _, path := range files(t, ".go") {
		for line, text := range prose(path, read(t, path)) {
			check(path, line, text)
		}
	}
}

// prose yields the comments of a Go file, and its strings if it is no test, each
// with the number of its first line.
func prose(path, source string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		var s scanner.Scanner
		file := token.NewFileSet().AddFile(path, -1, len(source))
		s.Init(file, []byte(source), nil, scanner.ScanComments)
		for {
			pos, kind, text := s.Scan()
			switch {
			case kind == token.EOF:
				return
			case kind == token.COMMENT, kind == token.STRING && !strings.HasSuffix(path, "_test.go"):
				if !yield(file.Line(pos), text) {
					return
				}
			}
		}
	}
}

func TestProgramsHaveREADMEs(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(root, "examples/*/"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if info, err := os.Stat(folder); err != nil || !info.IsDir() || filepath.Base(folder) == "internal" {
			continue
		}
		if _, err := os.Stat(filepath.Join(folder, "README.md")); err != nil {
			t.Error(err)
		}
	}
}

// TestQuickStart runs the README's program in an empty folder, and compares its output
// with the one in the README, which also has the commands for the server and the tests.
func TestQuickStart(t *testing.T) {
	readme := read(t, filepath.Join(root, "README.md"))
	for _, command := range []string{"go -C examples run ./local", "make test"} {
		if !strings.Contains(readme, "\n"+command+"\n") {
			t.Errorf("README.md has no line %q", command)
		}
	}
	program := regexp.MustCompile("(?s)```go\n(package main\n.*?)```").FindStringSubmatch(readme)
	output := regexp.MustCompile("(?s)```text\n(.*?)```").FindStringSubmatch(readme)
	if program == nil || output == nil {
		t.Fatal("README.md has no program, or no output of it")
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte(program[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	library, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	var got string
	for _, args := range [][]string{
		{"mod", "init", "example.com/try"},
		{"mod", "edit", "-require=" + module + "@v0.0.0", "-replace=" + module + "=" + library}, // instead of go get
		{"run", "."},
	} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = folder
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go %s: %v", strings.Join(args, " "), err)
		}
		got = string(out)
	}
	if got != output[1] {
		t.Errorf("the program printed\n%s\nREADME.md has\n%s", got, output[1])
	}
}
