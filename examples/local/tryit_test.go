package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// curlLines are the lines of text to paste.
func curlLines(text string) []string {
	return regexp.MustCompile(`(?m)^curl .*$`).FindAllString(text, -1)
}

// TestPaste runs the printed lines in a shell, with curl.
func TestPaste(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") == "" {
		t.Skipf("%v: install curl", err)
	}
	p := start(t, "127.0.0.1:0")
	want := []struct{ status, text string }{
		{"201 Created", `"deviceId":"phone-1"`},
		{"200 OK", `"deviceId":"phone-1"`},
		{"201 Created", `"deviceId":"phone-1"`},
		{"200 OK", `{"deviceTokens":[]}`},
		{"204 No Content", ""},
	}
	lines := curlLines(p.text)
	if len(lines) != len(want) {
		t.Fatalf("it printed %d lines to paste, want %d:\n%s", len(lines), len(want), p.text)
	}
	for i, line := range lines {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", line).Output()
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if got := string(out); !strings.HasPrefix(got, "HTTP/1.1 "+want[i].status) || !strings.Contains(got, want[i].text) {
			t.Errorf("%s\nanswered, want %s:\n%s", line, want[i].status, got)
		}
	}
	p.stop(t, syscall.SIGTERM)
}
