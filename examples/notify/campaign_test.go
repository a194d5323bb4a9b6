package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
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

	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/examples/internal/fakeexpo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// asProgram makes the test binary run as the program.
const asProgram = "NOTIFY_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// A campaign is a job that runs in a process of its own, so that a test can kill it.
type campaign struct {
	t         *testing.T
	n         int // users
	registry  store.Store
	clock     time.Time // of the registry
	expo      *fakeexpo.Server
	expoURL   string
	db, users string // name of the store, and file
	outbox    string
	refused   int // a user whose messages Expo refuses, or -1

	mu       sync.Mutex
	requests int
	killAt   int // 0 is never
	process  *os.Process
	resident int         // the largest resident set of any process, in kB, if there is /proc
	sends    []time.Time // of the last process
}

// Of a hundred users, two have phones that are gone: one in the ticket, one in the
// receipt. Half of those users register again after the messages.
func isGone(i int) bool       { return i%100 < 2 }
func isRegistered(i int) bool { return i%200 < 100 }
func userName(i int) string   { return fmt.Sprintf("user-%07d", i) }
func tokenOf(i int) string    { return fmt.Sprintf("ExponentPushToken[%07d]", i) }
func keyOf(i int) tokens.Key {
	return tokens.Key{UserID: tokens.UserID(userName(i)), DeviceID: "phone"}
}

// newCampaign returns a campaign of n users in that store, or in SQLite, and an Expo with
// these options.
func newCampaign(t *testing.T, n int, name string, o fakeexpo.Options) *campaign {
	folder := t.TempDir()
	c := &campaign{
		t: t, n: n, db: cmp.Or(name, filepath.Join(folder, "tokens.db")), users: filepath.Join(folder, "users"),
		outbox: filepath.Join(folder, "outbox"), refused: -1,
	}
	db, err := database.Open(t.Context(), c.db, database.Options{Create: true, Policy: store.Policy{Now: func() time.Time { return c.clock }}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	c.registry = db.Store
	o.Fault = c.fault
	c.expo = fakeexpo.New(o)
	now := time.Now()
	var list strings.Builder
	for i := range n {
		phone := fakeexpo.Phone{Project: "@acme/app", User: userName(i)}
		c.clock = now.Add(-time.Hour)
		if isGone(i) {
			if i%2 == 0 {
				phone.Ticket = fakeexpo.Gone
			} else {
				phone.Receipt = fakeexpo.Gone
			}
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
	expo := httptest.NewServer(c.expo)
	t.Cleanup(expo.Close)
	c.expoURL = expo.URL + fakeexpo.Path
	return c
}

// fault kills the process during one of its requests.
func (c *campaign) fault(r fakeexpo.Request) fakeexpo.Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil { // the program runs in this process
		return fakeexpo.Fault{}
	}
	// The process's rusage would include its parent's memory.
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.process.Pid)); err == nil {
		if _, after, found := strings.Cut(string(status), "VmHWM:"); found {
			resident := 0
			_, _ = fmt.Sscan(after, &resident)
			c.resident = max(c.resident, resident)
		}
	}
	if r.Send {
		c.sends = append(c.sends, time.Now())
	}
	if c.requests++; c.requests == c.killAt {
		_ = c.process.Kill()
	}
	return fakeexpo.Fault{}
}

// args is the command line.
func (c *campaign) args(flags ...string) []string {
	return append([]string{"-db", c.db, "-users", c.users, "-title", "Hello", "-outbox", c.outbox, "-expo", c.expoURL}, flags...)
}

// run runs the program until it ends or is killed at its killAt'th request, and
// returns its output.
func (c *campaign) run(killAt int, flags ...string) (killed bool, printed string) {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), os.Args[0], c.args(append(flags, "-receipt-delay", "2s")...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	c.mu.Lock()
	err := cmd.Start()
	c.requests, c.killAt, c.process, c.sends = 0, killAt, cmd.Process, nil
	c.mu.Unlock()
	if err != nil {
		c.t.Fatal(err)
	}
	err = cmd.Wait()
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if err != nil && !status.Signaled() {
		c.t.Fatalf("%v:\n%s", err, &out)
	}
	return status.Signaled(), out.String()
}

// acknowledged returns the users with a ticket in the outbox, and how many messages
// each of them has received.
func (c *campaign) acknowledged() map[tokens.UserID]int {
	c.t.Helper()
	settings, err := parse(c.args(), c.t.Output())
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
	sent, err := box.Due(time.Now().Add(time.Hour), c.n, func(string) bool { return false })
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

// kills is how many times the program is killed while it sends or fetches.
const kills = 4

// unlimited is an Expo that accepts everything.
var unlimited = fakeexpo.Options{PerSecond: 1 << 30}

func TestKilledProcess(t *testing.T) {
	t.Parallel()
	t.Logf("%+v", newCampaign(t, 1600, "", unlimited).runKilled())
}

// A killing is the result of a campaign whose process was killed.
type killing struct {
	Killed       int           // times
	Took         time.Duration // all runs together
	Acknowledged int           // users with a ticket after a kill
	SentAgain    int           // messages that were sent more than once
	Invalidated  int           // registrations
	ResidentMB   int
}

// runKilled kills the program several times while it works.
func (c *campaign) runKilled() (r killing) {
	c.t.Helper()
	began := time.Now()
	acknowledged := map[tokens.UserID]int{}
	for range kills {
		if killed, _ := c.run(7+rand.IntN(c.n/100/kills), "-rate", "1e7"); killed {
			r.Killed++
		}
		maps.Copy(acknowledged, c.acknowledged())
	}
	_, printed := c.run(0, "-rate", "1e7")
	r.Took, r.Acknowledged, r.ResidentMB = time.Since(began), len(acknowledged), c.resident>>10
	c.t.Logf("the last run printed\n%s", printed)
	// With six workers, the seventh request follows the answer to another one.
	if r.Killed == 0 || r.Acknowledged == 0 {
		c.t.Errorf("it was killed %d times, and seen to have sent to %d", r.Killed, r.Acknowledged)
	}
	r.Invalidated, r.SentAgain = c.check(acknowledged)
	if most := r.Killed * 6 * 100; r.SentAgain > most {
		c.t.Errorf("%d messages were sent again, more than the %d that were on their way", r.SentAgain, most)
	}
	return r
}

// check checks that every user got the message, and a user whose message was acknowledged
// before not again. Of the phones that are gone, exactly those with an old enough
// registration are invalidated. It counts these, and the messages that were sent again.
func (c *campaign) check(acknowledged map[tokens.UserID]int) (invalidations, again int) {
	c.t.Helper()
	for i := range c.n {
		registration, err := c.registry.Get(context.Background(), keyOf(i))
		if err != nil {
			c.t.Fatal(err)
		}
		invalidated := registration.Status == tokens.DeviceNotRegistered
		if invalidated {
			invalidations++
		}
		if want := isGone(i) && !isRegistered(i); invalidated != want {
			c.t.Errorf("invalidated the registration of %s: %t, want %t", userName(i), invalidated, want)
		}
		n := c.expo.Received(tokenOf(i))
		if n == 0 && !isGone(i) && i != c.refused {
			c.t.Errorf("%s got no message", userName(i))
		}
		again += max(0, n-1)
		if before, known := acknowledged[tokens.UserID(userName(i))]; known && n != before {
			c.t.Errorf("%s, whose message was acknowledged, got it again", userName(i))
		}
	}
	if stats := c.expo.Stats(); stats.Misrouted > 0 || c.refused < 0 && len(stats.Refused) > 0 {
		c.t.Errorf("%+v", stats)
	}
	return invalidations, again
}
