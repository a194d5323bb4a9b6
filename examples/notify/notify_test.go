package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/schollz/progressbar/v3"

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
		{"", "set -db or -demo"},
		{"-db dynamodb:t -title x", "set either -user or -users"},
		{fine + "-users b", "set either -user or -users"},
		{"-db dynamodb:t -user a", "set -title or -body"},
		{fine + "-data 1", "not a JSON object"},
		{fine + "-data null", "not a JSON object"},
		{fine + `-data {"recipient":"a"}`, "which notify sets to the recipient's id"},
		{fine + "-rate 0", "must be above 0"},
		{fine + "-rate NaN", "must be above 0"},
		{fine + "-receipt-delay 24h", "-receipt-delay must be below 24h"},
		{"-db dynamodb:t -user a -title " + long, "and Expo accepts 4096"},
		{"-db dynamodb:t -title x -user #a", "-user: the user id begins with #"},
		{"-db dynamodb:t -title x -user \"a\"", "-user: the user id begins or ends with a quote"},
		{fine + "-expo exp.host", "-expo: not an http or https URL"},
		{fine + "-expo ftp://exp.host", "-expo: not an http or https URL"},
		{fine + "-expo http://exp.host", "-expo: push tokens are secret"},
		{fine + "-sound bells", "sound: use"},
		{fine + "-max-gone 0", "-max-gone must be above 0"},
		{fine + "-max-gone 101", "at most 100"},
		{fine + "-max-gone NaN", "-max-gone must be above 0"},
		{fine + "-message none.json", "-message: open none.json"},
		{fine + "-message testdata/message.json", "-title is also in the -message file"},
		{"-db dynamodb:t -user a -data {} -message testdata/message.json", "-data is also in the -message file"},
		{"-db dynamodb:t -user a -message README.md", "-message: not a single JSON object"},
		{"-demo -user a", "-demo has its own store and users"},
		{"-demo now", "notify takes flags only"},
		{"-token x", "-token"},
	} {
		t.Run(tc.says, func(t *testing.T) {
			code, _, stderr := run(t, strings.Fields(tc.args)...)
			if code != 2 || !strings.Contains(stderr, tc.says) {
				t.Errorf("exit code is %d, and it says: %s", code, stderr)
			}
		})
	}
	t.Run("access token", func(t *testing.T) {
		t.Setenv("EXPO_ACCESS_TOKEN", "secret\n")
		if code, _, stderr := run(t, strings.Fields(fine)...); code != 2 || !strings.Contains(stderr, "EXPO_ACCESS_TOKEN has") || strings.Contains(stderr, "secret") {
			t.Errorf("exit code is %d, and it says: %s", code, stderr)
		}
	})
}

// A wrong list is refused before an outbox is created.
func TestWrongList(t *testing.T) {
	users, box := filepath.Join(t.TempDir(), "users"), filepath.Join(t.TempDir(), "outbox")
	for list, says := range map[string]string{"alice\n\"bob\"\n": "line 2", "": "it is empty", strings.Repeat("x", 255): "and Expo accepts 4096"} {
		if err := os.WriteFile(users, []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := run(t, "-db", "dynamodb:t", "-users", users, "-outbox", box, "-title", strings.Repeat("x", 3850))
		if code != 2 || !strings.Contains(stderr, says) {
			t.Errorf("exit code is %d, and it says: %s", code, stderr)
		}
		if _, err := os.Stat(box); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("there is an outbox: %v", err)
		}
	}
}

// An outbox that cannot be used is refused before anything is sent. The exit code says
// that running the same command again does not help.
func TestWrongOutbox(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
		"AWS_PROFILE": "", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none",
	} {
		t.Setenv(name, value)
	}
	for outbox, says := range map[string]string{"README.md": "cut short or damaged", "testdata": "must be a regular file"} {
		code, _, stderr := run(t, "-db", "dynamodb:t", "-user", "a", "-title", "x", "-outbox", outbox)
		if code != 2 || !strings.Contains(stderr, says) {
			t.Errorf("exit code is %d, and it says: %s", code, stderr)
		}
	}
}

// The -message file and the flags are merged.
func TestMessage(t *testing.T) {
	c, err := parse(strings.Fields("-db dynamodb:t -user a -body there -message testdata/message.json"), t.Output())
	ttl, badge, mutable := 3600, 1, true
	want := expo.Content{
		Title: "Your taxi is here", Subtitle: "Blue Škoda", Body: "there", Sound: "default", Priority: "high", TTL: &ttl, Badge: &badge,
		InterruptionLevel: "time-sensitive", ChannelID: "taxi", CategoryID: "taxi", MutableContent: &mutable,
		RichContent: &expo.RichContent{Image: "https://example.com/taxi.png"},
	}
	if diff := cmp.Diff(want, c.content); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff(map[string]any{"ride": json.Number("12345678901234567890")}, c.data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

// A missing setting of the environment is reported at once, and no outbox is created.
func TestEnvironment(t *testing.T) {
	outbox := filepath.Join(t.TempDir(), "outbox")
	users := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(users, []byte("alice"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ says, region, key, users string }{
		{"no such file", "us-east-1", "local", users + "-none"},
		{"not a pipe or a folder", "us-east-1", "local", t.TempDir()},
		{"no AWS region", "", "local", users},
		{"no AWS credentials", "us-east-1", "", users},
	} {
		t.Run(tc.says, func(t *testing.T) {
			for name, value := range map[string]string{
				"AWS_REGION": tc.region, "AWS_DEFAULT_REGION": "", "AWS_ACCESS_KEY_ID": tc.key, "AWS_SECRET_ACCESS_KEY": tc.key,
				"AWS_PROFILE": "", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_EC2_METADATA_DISABLED": "true",
			} {
				t.Setenv(name, value)
			}
			code, _, stderr := run(t, "-db", "dynamodb:t", "-users", tc.users, "-title", "x", "-outbox", outbox)
			if code != 1 || !strings.Contains(stderr, tc.says) {
				t.Errorf("exit code is %d, and it says: %s", code, stderr)
			}
			if _, err := os.Stat(outbox); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("there is an outbox: %v", err)
			}
		})
	}
}

func TestDemo(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := run(t, "-demo", "-rate", "6000")
	for _, line := range []string{" 1000 messages", " 990 accepted by Expo", " 980 accepted by Apple", " 20 of these invalidated"} {
		if !strings.Contains(stdout, line) {
			t.Errorf("it does not say %q", line)
		}
	}
	if code != 0 || strings.Contains(stderr, "PushToken[") {
		t.Errorf("exit code is %d:\n%s%s", code, stdout, stderr)
	}
}

// Running a finished job again sends nothing, and another job cannot use its outbox.
func TestOutboxOfAJob(t *testing.T) {
	t.Parallel()
	var demo settings
	end, err := demo.startDemo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	demo.users, demo.user = "", "user-0001"
	demo.sender.ReceiptDelay = time.Millisecond
	var log bytes.Buffer
	startIt := func(c settings) error {
		return start(t.Context(), c, slog.New(slog.NewTextHandler(&log, nil)), t.Output(), t.Output())
	}
	if err := startIt(demo); err != nil {
		t.Fatal(err)
	}
	if log.Len() > 0 {
		t.Errorf("it says:\n%s", &log)
	}
	if err := startIt(demo); err != nil || !strings.Contains(log.String(), "done already") {
		t.Errorf("%v; it says:\n%s", err, &log)
	}
	demo.content.Title = "Another"
	if err := startIt(demo); !errors.Is(err, outbox.ErrOtherJob) {
		t.Errorf("another message in the same outbox: %v", err)
	}
}

// A program that is interrupted exits with 1.
func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stderr bytes.Buffer
	if code := program(ctx, []string{"-demo"}, t.Output(), &stderr); code != 1 {
		t.Errorf("exit code is %d:\n%s", code, &stderr)
	}
}

func TestBar(t *testing.T) {
	var out bytes.Buffer
	bar := progressbar.NewOptions64(100, progressbar.OptionSetWriter(&out))
	barProgress(bar)(50, outbox.Counts{Accepted: 4321, Delivered: 1234})
	if !strings.Contains(out.String(), "4321 sent, 1234 receipts") || !strings.Contains(out.String(), "50%") {
		t.Errorf("it shows %q", &out)
	}
}
