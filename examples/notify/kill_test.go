package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// make bench-notify sets it to a million.
var recipientCount = flag.Int("recipients", 1600, "how many users TestKilledProcess notifies")

// kills is how many times it is killed, each time while it sends or fetches.
const kills = 4

// A campaign is a job whose process can be killed.
type campaign struct {
	t         *testing.T
	registry  store.Store
	clock     time.Time // of the registry, while it is filled
	expo      *fakeexpo.Server
	users     string // a file
	outbox    string
	expoURL   string
	lookupURL string

	mu       sync.Mutex
	requests int
	killAt   int // 0 is never
	process  *os.Process
	resident int // the process's largest resident set, in kB
}

// Of a hundred users two have phones that are gone, which is told at once or
// later; half of those register again, after any message.
func isGone(i int) bool       { return i%100 < 2 }
func isRegistered(i int) bool { return i%200 < 100 }
func userName(i int) string   { return fmt.Sprintf("user-%07d", i) }
func tokenOf(i int) string    { return fmt.Sprintf("ExponentPushToken[%07d]", i) }
func keyOf(i int) tokens.Key {
	return tokens.Key{UserID: tokens.UserID(userName(i)), DeviceID: "phone"}
}

func newCampaign(t *testing.T) *campaign {
	c := &campaign{t: t, outbox: filepath.Join(t.TempDir(), "outbox"), users: filepath.Join(t.TempDir(), "users")}
	c.registry = memstore.New(store.Policy{Now: func() time.Time { return c.clock }})
	c.expo = fakeexpo.New(fakeexpo.Options{PerSecond: 1 << 30, Fault: c.fault})
	now := time.Now()
	var list strings.Builder
	for i := range *recipientCount {
		phone := fakeexpo.Phone{Project: "@acme/app", User: userName(i)}
		c.clock = now.Add(-time.Hour)
		if isGone(i) {
			phone.Answer = fakeexpo.GoneAtOnce + fakeexpo.Answer(i%2)
			if isRegistered(i) {
				c.clock = now.Add(time.Hour)
			}
		}
		c.expo.Set(tokenOf(i), phone)
		if _, err := c.registry.Register(t.Context(), tokens.Request{
			Key: keyOf(i), Token: tokens.MustParseToken(tokenOf(i)), Platform: tokens.Android, ProjectID: "acme",
		}); err != nil {
			t.Fatal(err)
		}
		list.WriteString(userName(i) + "\n")
	}
	c.clock = now
	if err := os.WriteFile(c.users, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	expo, lookups := httptest.NewServer(c.expo), httptest.NewServer(serveRegistry(c.registry))
	t.Cleanup(expo.Close)
	t.Cleanup(lookups.Close)
	c.expoURL, c.lookupURL = expo.URL+fakeexpo.Path, lookups.URL
	return c
}

// fault kills the process while a request of it is on its way.
func (c *campaign) fault(fakeexpo.Request) fakeexpo.Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Not from the process's rusage, which counts in that of its parent.
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.process.Pid)); err == nil {
		if _, after, found := strings.Cut(string(status), "VmHWM:"); found {
			_, _ = fmt.Sscan(after, &c.resident)
		}
	}
	if c.requests++; c.requests == c.killAt {
		_ = c.process.Kill()
	}
	return fakeexpo.Fault{}
}

// run runs the program until it ends or makes its killAt'th request, and returns
// what it printed and its largest resident set, in kB, where /proc tells.
func (c *campaign) run(killAt int) (killed bool, printed string, resident int) {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), os.Args[0], "-table", "devices", "-users", c.users, "-title", "Hello",
		"-outbox", c.outbox, "-expo", c.expoURL, "-rate", "1e7", "-receipt-delay", "2s")
	cmd.Env = append(os.Environ(), registryURL+"="+c.lookupURL)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	c.mu.Lock()
	err := cmd.Start()
	c.requests, c.killAt, c.process, c.resident = 0, killAt, cmd.Process, 0
	c.mu.Unlock()
	if err != nil {
		c.t.Fatal(err)
	}
	err = cmd.Wait()
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if err != nil && !status.Signaled() {
		c.t.Fatalf("%v:\n%s", err, &out)
	}
	return status.Signaled(), out.String(), c.resident
}

// acknowledged returns who has a ticket in the outbox, and how many messages
// each of them had got.
func (c *campaign) acknowledged() map[tokens.UserID]int {
	c.t.Helper()
	settings, err := parse([]string{"-table", "devices", "-users", c.users, "-title", "Hello"}, c.t.Output())
	if err != nil {
		c.t.Fatal(err)
	}
	users, err := settings.openUsers()
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = users.Close() }()
	box, err := outbox.Open(c.outbox, settings.jobID(users), outbox.Options{})
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = box.Close() }()
	sent, err := box.Due(time.Now().Add(time.Hour), *recipientCount)
	if err != nil {
		c.t.Fatal(err)
	}
	got := map[tokens.UserID]int{}
	for _, batch := range sent {
		for _, ticket := range batch.Tickets {
			var i int
			_, _ = fmt.Sscanf(string(ticket.User), "user-%d", &i)
			got[ticket.User] = c.expo.Received(tokenOf(i))
		}
	}
	return got
}

// The program is killed while it works, again and again. Whoever was
// acknowledged is not told twice, everybody is told, and of the phones that are
// gone exactly those are invalidated whose registration is old enough.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	c := newCampaign(t)
	acknowledged := map[tokens.UserID]int{}
	died := 0
	for range kills {
		killed, _, resident := c.run(7 + rand.IntN(*recipientCount/100/kills))
		if killed {
			died++
		}
		for user, n := range c.acknowledged() {
			acknowledged[user] = n
		}
		t.Logf("killed: %v, largest resident set %d MB", killed, resident>>10)
	}
	began := time.Now()
	_, printed, resident := c.run(0)
	t.Logf("the rest took %v, largest resident set %d MB\n%s", time.Since(began).Round(time.Second), resident>>10, printed)
	// The seventh request of six workers is made after the answer to another.
	if died == 0 || len(acknowledged) == 0 {
		t.Errorf("it was killed %d times, and seen to have sent to %d", died, len(acknowledged))
	}
	c.check(acknowledged, died)
}

func (c *campaign) check(acknowledged map[tokens.UserID]int, died int) {
	t := c.t
	again, acknowledgedAgain := 0, 0
	for i := range *recipientCount {
		registration, err := c.registry.Get(context.Background(), keyOf(i))
		if err != nil {
			t.Fatal(err)
		}
		want := tokens.Active
		if isGone(i) && !isRegistered(i) {
			want = tokens.DeviceNotRegistered
		}
		if registration.Status != want {
			t.Errorf("%s is %q, want %q", userName(i), registration.Status, want)
		}
		n := c.expo.Received(tokenOf(i))
		if n == 0 && !isGone(i) {
			t.Errorf("%s was not told", userName(i))
		}
		again += max(0, n-1)
		if before, known := acknowledged[tokens.UserID(userName(i))]; known && n != before {
			acknowledgedAgain++
		}
	}
	if acknowledgedAgain > 0 {
		t.Errorf("%d who were acknowledged were told again", acknowledgedAgain)
	}
	if most := died * 6 * 100; again > most {
		t.Errorf("%d were told again, more than the %d that were on their way", again, most)
	}
	stats := c.expo.Stats()
	if stats.Misrouted > 0 || len(stats.Refused) > 0 {
		t.Errorf("%+v", stats)
	}
	t.Logf("%d of %d were seen acknowledged at a kill, of whom %d were told again; %d were on their way at one of %d kills and were",
		len(acknowledged), *recipientCount, acknowledgedAgain, again, died)
}
