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

	"github.com/google/go-cmp/cmp"

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

func nothing(string) bool { return false }

func recipient(user tokens.UserID) outbox.Recipient {
	hash := tokens.MustParseToken("ExponentPushToken[" + string(user) + "]").Hash()
	return outbox.Recipient{User: user, Device: "phone", Hash: hash}
}

// Everything that was written is there, in order, when the file is opened again.
func TestReopened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox")
	now := time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)
	box := open(t, path)
	batches := []*outbox.Batch{
		{Group: outbox.Group{Project: "p"}, Recipients: []outbox.Recipient{recipient("a"), recipient("b")}},
		{Recipients: []outbox.Recipient{recipient("c")}},
		{Recipients: []outbox.Recipient{recipient("d")}},
	}
	next := outbox.Position{Offset: 42, Done: true}
	renamed := &outbox.Batch{Group: outbox.Group{Experience: "@acme/app"}, Recipients: batches[1].Recipients}
	of := outbox.Tallied{Quota: "p", Platform: tokens.IOS}
	if err := errors.Join(
		box.AddPage(next, batches, outbox.Counts{Users: 4, Planned: 4}),
		box.Update(&outbox.Batch{Seq: 1, SentAt: now, Recipients: batches[0].Recipients}, outbox.Counts{Dropped: 1}),
		box.Acknowledge(batches[0], outbox.Results{
			Sent:    []*outbox.Sent{{SentAt: now, Due: now.Add(time.Minute), Tickets: []outbox.Ticket{{Recipient: recipient("a"), ID: "1"}}}},
			Gone:    []outbox.Gone{{Recipient: recipient("b"), SentAt: now}},
			Tallies: outbox.Tallies{of: {Answers: 1, Gone: 1}},
			Counts:  outbox.Counts{Accepted: 1, Unregistered: 1},
		}),
		box.Replace(batches[1], []*outbox.Batch{renamed}, outbox.Counts{Failed: map[string]int{"x": 1}}),
		box.Close(),
	); err != nil {
		t.Fatal(err)
	}

	box = open(t, path)
	defer func() { _ = box.Close() }()
	pending, err := box.Pending(0, 10)
	if diff := cmp.Diff([]*outbox.Batch{batches[2], renamed}, pending); diff != "" || err != nil {
		t.Errorf("%v, pending (-want +got):\n%s", err, diff)
	}
	at, err := box.Position()
	if at != next || err != nil {
		t.Errorf("position is %v, %v", at, err)
	}
	counts, err := box.Counts()
	if diff := cmp.Diff(outbox.Counts{
		Users: 4, Planned: 4, Dropped: 1, Accepted: 1, Unregistered: 1, Failed: map[string]int{"x": 1},
	}, counts); diff != "" || err != nil {
		t.Errorf("%v, counts (-want +got):\n%s", err, diff)
	}
	gone, err := box.Gone(10)
	if diff := cmp.Diff([]outbox.Gone{{Seq: 1, Recipient: recipient("b"), SentAt: now}}, gone); diff != "" || err != nil {
		t.Errorf("%v, gone (-want +got):\n%s", err, diff)
	}
	tallies, err := box.Tallies()
	if diff := cmp.Diff(outbox.Tallies{of: {Answers: 1, Gone: 1}}, tallies); diff != "" || err != nil {
		t.Errorf("%v, tallies (-want +got):\n%s", err, diff)
	}
	if early, err := box.Due(now, 1000, nothing); len(early) != 0 || err != nil {
		t.Errorf("%d are due too early, %v", len(early), err)
	}
	due, err := box.Due(now.Add(time.Minute), 1000, nothing)
	if err != nil || len(due) != 1 || due[0].Tickets[0].ID != "1" || !due[0].SentAt.Equal(now) {
		t.Errorf("due are %v, %v", due, err)
	}
}

// One process at a time may open an outbox, and only for its own job.
func TestRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox")
	box := open(t, path)
	if _, err := outbox.Open(path, []byte("job"), outbox.Options{}); !errors.Is(err, outbox.ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
	if err := box.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := outbox.Open(path, []byte("other"), outbox.Options{}); !errors.Is(err, outbox.ErrOtherJob) {
		t.Errorf("another job: %v", err)
	}
}

// Only its owner can read an outbox, new or not. It contains no token and must be a
// regular file.
func TestExistingFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "outbox")
	for i := range 2 {
		box := open(t, path)
		err := box.AddPage(outbox.Position{}, []*outbox.Batch{{Recipients: []outbox.Recipient{recipient("alice")}}}, outbox.Counts{Users: i})
		info, statErr := os.Stat(path)
		if err := errors.Join(err, box.Close(), statErr, os.Chmod(path, 0o666)); err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("the mode is %v", info.Mode())
		}
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
