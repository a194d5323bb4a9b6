package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// TestUpgradeOnATerminal checks that there is a bar on a terminal and no log, and
// that neither is in the output.
func TestUpgradeOnATerminal(t *testing.T) {
	d := newDesk(t)
	d.older()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = terminal.Close() }()
	var out bytes.Buffer
	p := &program{
		in: strings.NewReader(""), out: &out, err: terminal, getenv: func(string) string { return d.table }, logInterval: 1,
	}
	code := p.run(t.Context(), []string{"upgrade", "--yes", "--page-size", "1", "-o", "json", "--endpoint", dynamotest.Endpoint(t)})
	if code != exitOK || strings.Contains(out.String(), "rows/") || strings.Count(out.String(), "dryRun") != 2 {
		t.Errorf("exit code is %d, and it wrote\n%s", code, &out)
	}
	// The terminal echoes the input.
	shown := make([]byte, 1<<16)
	n, err := terminal.Read(shown)
	text := string(shown[:n])
	if err != nil || !strings.Contains(text, "dry run") || strings.Contains(text, "level=") {
		t.Errorf("it shows %q, %v", text, err)
	}
}
