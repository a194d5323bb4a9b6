package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
)

// run runs the program and returns its exit code and its output.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = program(t.Context(), args, &out, &err)
	return code, out.String(), err.String()
}

// refuses runs the program, which must end with the code and an error that has the text.
func refuses(t *testing.T, code int, says string, args ...string) {
	t.Helper()
	if got, _, stderr := run(t, args...); got != code || !strings.Contains(stderr, says) {
		t.Errorf("exit code is %d, want %d; want %q in %s", got, code, says, stderr)
	}
}

// -help names each flag that the README names.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	code, _, help := run(t, "-help")
	if code != 0 {
		t.Errorf("exit code is %d", code)
	}
	flags := regexp.MustCompile("[ `](-[a-z]+(-[a-z]+)*)").FindAllStringSubmatch(string(readme), -1)
	if len(flags) < 8 {
		t.Errorf("README.md names %d flags, want at least 8", len(flags))
	}
	for _, flag := range flags {
		if flag[1] != "-help" && !strings.Contains(help, "  "+flag[1]) {
			t.Errorf("README.md names %s, which -help does not", flag[1])
		}
	}
}

func TestCommandLines(t *testing.T) {
	long := strings.Repeat("x", 4096)
	const fine = "-db dynamodb:t -user a -title x "
	for _, tc := range []struct{ args, says string }{
		{"", "set -db"},
		{"-db dynamodb:t -title x", "set either -user or -users"},
		{fine + "-users b", "set either -user or -users"},
		{"-db dynamodb:t -user a", "set -title or -body"},
		{fine + "-data 1", "not a JSON object"},
		{fine + `-data {"recipient":"a"}`, "which notify sets to the recipient's id"},
		{fine + "-rate 0", "must be above 0"},
		{fine + "-rate NaN", "must be above 0"},
		{fine + "-receipt-delay 24h", "-receipt-delay must be below 24h"},
		{"-db dynamodb:t -user a -title " + long, "and Expo accepts 4096"},
		{"-db dynamodb:t -title x -user \"a\"", "-user: the user id begins or ends with a quote"},
		{fine + "-expo http://exp.host", "-expo: push tokens are secret"},
		{fine + "-sound bells", "sound: use"},
		{fine + "-max-gone 0", "-max-gone must be above 0"},
		{fine + "-max-gone 101", "at most 100"},
		{fine + "-max-gone NaN", "-max-gone must be above 0"},
		{fine + "-message none.json", "-message: open none.json"},
		{"-db dynamodb:t -user a -message README.md", "-message: not a single JSON object"},
		{fine + "now", "notify takes flags only"},
		{"-token x", "-token"},
	} {
		refuses(t, 2, tc.says, strings.Fields(tc.args)...)
	}
	t.Setenv("EXPO_ACCESS_TOKEN", "secret\n")
	refuses(t, 2, "EXPO_ACCESS_TOKEN has a space, a line break", strings.Fields(fine)...)
}

// setAWS sets the AWS region and credentials, and removes those of this machine.
func setAWS(t *testing.T, region, key string) {
	for name, value := range map[string]string{
		"AWS_REGION": region, "AWS_DEFAULT_REGION": "", "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": key, "AWS_SESSION_TOKEN": "",
		"AWS_PROFILE": "", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

// A list, an environment or an outbox that cannot be used is refused before anything is
// sent, and no outbox is created. With exit code 2, running the same command again does
// not help.
func TestRefusedAtOnce(t *testing.T) {
	folder := t.TempDir()
	users := filepath.Join(folder, "users")
	box := filepath.Join(folder, "outbox")
	setAWS(t, "us-east-1", "local")
	for _, tc := range []struct{ says, list, outbox string }{
		{"line 2", "alice\n\"bob\"\n", box},
		{"it is empty", "", box},
		{"and Expo accepts 4096", strings.Repeat("x", 255), box},
		{"cut short or damaged", "alice", "README.md"},
		{"must be a regular file", "alice", "internal"},
	} {
		if err := os.WriteFile(users, []byte(tc.list), 0o600); err != nil {
			t.Fatal(err)
		}
		refuses(t, 2, tc.says, "-db", "dynamodb:t", "-users", users, "-outbox", tc.outbox, "-title", strings.Repeat("x", 3850))
	}
	for path, says := range map[string]string{"none": "no such file", "internal": "not a pipe or a folder"} {
		refuses(t, 1, says, "-db", "dynamodb:t", "-users", path, "-title", "x", "-outbox", box)
	}
	for says, region := range map[string]string{"no AWS region": "", "no AWS credentials": "us-east-1"} {
		setAWS(t, region, "")
		refuses(t, 1, says, "-db", "dynamodb:t", "-user", "alice", "-title", "x", "-outbox", box)
	}
	if _, err := os.Stat(box); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is an outbox: %v", err)
	}
}

// The -message file and the flags are merged. A field that both have is refused.
func TestMessage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "message.json")
	if err := os.WriteFile(path, []byte(`{"title": "Your taxi is here", "ttl": 3600, "data": {"ride": 12345678901234567890}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	common := []string{"-db", "dynamodb:t", "-user", "a", "-message", path}
	refuses(t, 2, "-title is also in", append(common, "-title", "x")...)
	refuses(t, 2, "-data is also in", append(common, "-data", "{}")...)
	c, err := parse(append(common, "-body", "there", "-sound", "default"), t.Output())
	ttl := 3600
	want := expo.Content{Title: "Your taxi is here", Body: "there", Sound: "default", TTL: &ttl}
	if diff := cmp.Diff(want, c.content); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff(map[string]any{"ride": json.Number("12345678901234567890")}, c.data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

// A terminal gets one line, other output gets log lines.
func TestProgress(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("this system has no pseudo-terminals: run it on Linux")
	} else if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = terminal.Close() }()
	synctest.Test(t, func(t *testing.T) {
		box, err := outbox.Open(filepath.Join(t.TempDir(), "outbox"), []byte("job"), outbox.Options{NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = box.Close() }()
		if err := box.AddPage(outbox.Position{Offset: 50}, nil, outbox.Counts{Users: 3, Accepted: 42, Delivered: 12}); err != nil {
			t.Fatal(err)
		}
		var log, file bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil))
		for _, w := range []io.Writer{terminal, &file} {
			if log.Len() > 0 {
				t.Errorf("beside the terminal it logs:\n%s", &log)
			}
			end := showProgress(w, logger, box, 100)
			time.Sleep(11 * time.Second)
			end()
		}
		if n := strings.Count(log.String(), "msg=progress users=3"); n != 1 || file.Len() > 0 {
			t.Errorf("it logs %d times and shows %q:\n%s", n, &file, &log)
		}
	})
	shown := make([]byte, 4096) // a terminal echoes everything that is written to this end
	n, err := terminal.Read(shown)
	if err != nil || !strings.Contains(string(shown[:n]), " 50 % of the list read, 42 sent, 12 receipts") {
		t.Errorf("the line is %q, %v", shown[:n], err)
	}
}
