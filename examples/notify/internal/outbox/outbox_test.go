package outbox_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/tokens"
)

func open(t *testing.T, path string) *outbox.Outbox {
	t.Helper()
	box, err := outbox.Open(path, []byte("job"), outbox.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func recipient(user tokens.UserID) outbox.Recipient {
	hash := tokens.MustParseToken("ExponentPushToken[" + string(user) + "]").Hash()
	return outbox.Recipient{User: user, Device: "phone", Hash: hash}
}

// Only its owner can read an outbox, new or not. It contains no token, must be a regular
// file, and is open in one process at a time, for its own job.
func TestExistingFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "outbox")
	for i := range 2 {
		box := open(t, path)
		if _, err := outbox.Open(path, []byte("job"), outbox.Options{}); !errors.Is(err, outbox.ErrInUse) {
			t.Errorf("opened twice: %v", err)
		}
		err := box.AddPage(outbox.Position{}, []*outbox.Batch{{Recipients: []outbox.Recipient{recipient("alice")}}}, outbox.Counts{Users: i})
		info, statErr := os.Stat(path)
		if err := errors.Join(err, box.Close(), statErr, os.Chmod(path, 0o666)); err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("the mode is %v", info.Mode())
		}
	}
	if _, err := outbox.Open(path, []byte("other"), outbox.Options{}); !errors.Is(err, outbox.ErrOtherJob) {
		t.Errorf("another job: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), "PushToken") || !strings.Contains(string(text), "alice") {
		t.Errorf("%v, %d bytes", err, len(text))
	}

	link, dangling, pipe := filepath.Join(folder, "link"), filepath.Join(folder, "dangling"), filepath.Join(folder, "pipe")
	if err := errors.Join(os.Symlink(path, link), os.Symlink(filepath.Join(folder, "none"), dangling), syscall.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, dangling, pipe, folder} {
		if _, err := outbox.Open(path, []byte("job"), outbox.Options{}); !errors.Is(err, outbox.ErrNoFile) {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error("it was made behind a link")
	}
}

// A file that is not an outbox, or that was cut short or damaged, is refused and not
// changed, and does not end the process.
func TestDamagedFile(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "outbox")
	box := open(t, whole)
	for i := range 40 { // so that each bucket has pages, and some pages are free
		var batch outbox.Batch
		for j := range 100 {
			batch.Recipients = append(batch.Recipients, recipient(tokens.UserID(fmt.Sprint("user-", i, "-", j))))
		}
		sent, gone := batch, outbox.Results{Sent: []*outbox.Sent{{Due: time.Now(), Tickets: []outbox.Ticket{{Recipient: batch.Recipients[0], ID: "1"}}}}}
		for _, r := range batch.Recipients {
			gone.Gone = append(gone.Gone, outbox.Gone{Recipient: r})
		}
		if err := errors.Join(box.AddPage(outbox.Position{}, []*outbox.Batch{&batch, &sent}, outbox.Counts{}), box.Acknowledge(&sent, gone)); err != nil {
			t.Fatal(err)
		}
	}
	if err := box.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	files := map[string][]byte{
		"a list of users": []byte("alice\nbob\n"), "a long list": bytes.Repeat([]byte("alice\n"), 10_000), "zeros": make([]byte, 10*page),
		"one byte less": text[:len(text)-1],
	}
	for n := 1; n < len(text); n += 1 + n/9 {
		files[fmt.Sprint("the first ", n, " bytes")] = text[:n]
	}
	for n := 0; n < len(text)/page; n += 1 + n/9 {
		damaged := slices.Clone(text)
		clear(damaged[n*page : (n+1)*page])
		files[fmt.Sprint("page ", n, " lost")] = damaged
	}
	survived := 0
	for name, text := range files {
		path := filepath.Join(t.TempDir(), "damaged")
		if err := os.WriteFile(path, text, 0o640); err != nil {
			t.Fatal(err)
		}
		box, err := outbox.Open(path, []byte("job"), outbox.Options{})
		if err == nil && strings.HasPrefix(name, "page ") { // a free page, a part of a value, or one of the two meta pages
			survived++
			if err := box.Close(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, outbox.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		info, statErr := os.Stat(path)
		after, readErr := os.ReadFile(path)
		if err := errors.Join(statErr, readErr); err != nil || info.Mode().Perm() != 0o640 || !bytes.Equal(text, after) {
			t.Errorf("%s: the file was changed: %v", name, err)
		}
	}
	if survived > 15 {
		t.Errorf("%d lost pages were not noticed", survived)
	}
}
