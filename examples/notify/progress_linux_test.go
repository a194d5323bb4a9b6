package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
)

// A terminal gets a progress bar, other output gets log lines.
func TestProgress(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = terminal.Close() }()
	synctest.Test(t, func(t *testing.T) {
		box, err := outbox.Open(filepath.Join(t.TempDir(), "outbox"), []byte("job"), outbox.Options{NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = box.Close() }()
		if err := box.AddPage(outbox.Position{Offset: 50}, nil, outbox.Counts{Users: 3, Accepted: 42}); err != nil {
			t.Fatal(err)
		}
		var log, file bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil))

		end := showProgress(terminal, logger, box, 100)
		time.Sleep(time.Minute)
		end()
		if log.Len() > 0 {
			t.Errorf("beside the bar it logs:\n%s", &log)
		}
		end = showProgress(&file, logger, box, 100)
		time.Sleep(11 * time.Second)
		end()
		if n := strings.Count(log.String(), "msg=progress users=3"); n != 1 || file.Len() > 0 {
			t.Errorf("it logs %d times and shows %q:\n%s", n, &file, &log)
		}
	})
	// The terminal echoes everything that is written to this end.
	shown := make([]byte, 4096)
	n, err := terminal.Read(shown)
	if err != nil || !strings.Contains(string(shown[:n]), "42 sent") {
		t.Errorf("the bar is %q, %v", shown[:n], err)
	}
}
