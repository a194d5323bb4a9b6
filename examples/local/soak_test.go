//go:build soak

package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/httpapi"
)

var soakFor = flag.Duration("soak", 10*time.Second, "how long new bad clients come")

// mostResident is more memory than the process ever needs, with as many
// connections as it serves.
const mostResident = 256 << 20

// TestSoak runs the server under good clients, then under good clients and bad
// ones, then under a crowd of silent connections. Good clients get right answers
// throughout. The server ends each bad connection itself, its memory stays
// bounded, no goroutine is left, and its log has no error and no token.
func TestSoak(t *testing.T) {
	usual := binary
	defer func() { binary = usual }()
	binary = filepath.Join(t.TempDir(), "local")
	if out, err := exec.Command("go", "build", "-tags", "debug", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p := start(t, "127.0.0.1:0", "-per-address", "0")                            // all clients here have one address
	urls := regexp.MustCompile(`http://[0-9.]+:[0-9]+`).FindAllString(p.text, 2) // of -tags debug, and of the service
	server, url := debugged(urls[0]), urls[1]

	good := &goodClients{T: t, url: url, client: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 200}, Timeout: 30 * time.Second,
	}}
	good.settle()
	good.client.CloseIdleConnections()
	before := server.state(t)
	if before.Goroutines == 0 || before.Heap == 0 {
		t.Fatal("the server does not say how it is doing")
	}

	serving, stop := context.WithCancel(t.Context())
	var background sync.WaitGroup
	background.Go(func() { good.run(serving) })
	resident, vmRSS := 0, regexp.MustCompile(`VmRSS:\s+(\d+) kB`)
	background.Go(func() {
		for serving.Err() == nil {
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid)) // on Linux alone
			if found := vmRSS.FindSubmatch(status); found != nil {
				kilobytes, _ := strconv.Atoi(string(found[1]))
				resident = max(resident, kilobytes<<10)
			}
			time.Sleep(100 * time.Millisecond)
		}
	})

	address := strings.TrimPrefix(url, "http://")
	var bad sync.WaitGroup
	var tallies []*tally
	coming, enough := context.WithTimeout(t.Context(), *soakFor)
	defer enough()
	for _, m := range misuses {
		tl := &tally{misuse: m, statuses: map[int]int{}}
		tallies = append(tallies, tl)
		bad.Go(func() { tl.come(coming, address) })
	}
	bad.Wait()

	crowd := &tally{statuses: map[int]int{}, misuse: misuse{name: "a crowd", limit: 2 * headerLimit, answers: []int{0}, talk: func(*net.TCPConn) {}}}
	for range maxConnections + 900 {
		bad.Go(func() { crowd.connect(address) })
	}
	most := 0
	for began := time.Now(); time.Since(began) < headerLimit-slack && most < maxConnections; {
		most = max(most, server.state(t).Goroutines)
	}
	bad.Wait()
	stop()
	background.Wait()
	good.settle()

	for _, tl := range append(tallies, crowd) {
		t.Logf("%s: %d connections, by status %v, the longest %s", tl.name, tl.connections, tl.statuses, tl.longest.Round(time.Millisecond))
		for _, problem := range tl.problems() {
			t.Error(problem)
		}
	}
	// One goroutine for each connection, and a few more.
	if most > maxConnections+before.Goroutines+200 {
		t.Errorf("%d goroutines served the crowd, want at most one for each of %d connections", most, maxConnections)
	}
	if resident > mostResident {
		t.Errorf("the process had %d MiB of memory, want at most %d", resident>>20, mostResident>>20)
	}
	good.client.CloseIdleConnections()
	after := server.state(t)
	for end := time.Now().Add(writeLimit); after.Goroutines > before.Goroutines && time.Now().Before(end); after = server.state(t) {
		time.Sleep(200 * time.Millisecond)
	}
	if after.Goroutines > before.Goroutines {
		t.Errorf("%d goroutines are left, and %d were there before:\n%s", after.Goroutines, before.Goroutines, server.get(t, "/debug/pprof/goroutine?debug=1"))
	}
	if after.Heap > before.Heap+before.Heap/10+(4<<20) {
		t.Errorf("the heap holds %d KiB after the run, and held %d KiB before", after.Heap>>10, before.Heap>>10)
	}
	p.stop(t, syscall.SIGTERM)
	for _, text := range []string{"PushToken[", "panic", "level=ERROR"} {
		if logged := p.log.String(); strings.Contains(logged, text) {
			t.Errorf("the log has %q in it", text)
		}
	}
	t.Logf("%d requests of good clients; at most %d goroutines and %d MiB; heap %d KiB before, %d KiB after",
		good.requests.Load(), most, resident>>20, before.Heap>>10, after.Heap>>10)
}

// debugged is the URL of what -tags debug adds to the server.
type debugged string

// A state is how many goroutines a server has, and how many bytes its heap holds
// after a collection.
type state struct {
	Goroutines int    `json:"goroutines"`
	Heap       uint64 `json:"heap"`
}

func (s debugged) state(t *testing.T) (now state) {
	t.Helper()
	_ = json.Unmarshal(s.get(t, "/debug/state"), &now) // what is missing is 0, which TestSoak notices
	return now
}

// get makes a request on a connection of its own, so that each one adds the same
// number of goroutines.
func (s debugged) get(t *testing.T, path string) []byte {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(string(s) + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// goodUsers have two devices each, and each pair of them shares a third one, whose
// token changes hands.
const goodUsers = 200

// goodClients register, list and log out at a fixed rate, and check each answer.
type goodClients struct {
	*testing.T
	url      string
	client   *http.Client
	requests atomic.Int64
}

func userName(user int) string          { return fmt.Sprintf("user-%03d", user) }
func device(user int, which any) string { return fmt.Sprintf("%s-phone-%v", userName(user), which) }
func ownToken(user, n int) string       { return fmt.Sprintf("ExponentPushToken[own-%03d-%d]", user, n) }
func sharedToken(user int) string       { return fmt.Sprintf("ExponentPushToken[shared-%03d]", user/2) }

// run makes 100 requests a second until ctx is done. A late answer delays no
// later request.
func (g *goodClients) run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for i := 1; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		running.Go(func() {
			user := i * 7919 % goodUsers // a prime, so that neighbours in time are different users
			switch kind := i % 20; {
			case kind < 15:
				n := i / goodUsers % 2
				g.register(user, device(user, n), ownToken(user, n))
			case kind < 18:
				for _, d := range g.list(user) {
					if !strings.HasPrefix(d, userName(user)+"-") {
						g.Errorf("the list of %s has the device %s", userName(user), d)
					}
				}
			case kind < 19:
				g.register(user, device(user, "shared"), sharedToken(user))
			default:
				g.do(user, http.MethodDelete, "?deviceId="+device(user, 0), "", http.StatusNoContent)
			}
		})
	}
}

// settle registers everything, and then expects each user to have their own two
// devices, and of each pair the odd one the shared device.
func (g *goodClients) settle() {
	for user := range goodUsers {
		for n := range 2 {
			g.register(user, device(user, n), ownToken(user, n))
		}
		g.register(user, device(user, "shared"), sharedToken(user))
	}
	for user := range goodUsers {
		want := []string{device(user, 0), device(user, 1)}
		if user%2 == 1 {
			want = append(want, device(user, "shared"))
		}
		if got := g.list(user); !slices.Equal(got, want) {
			g.Errorf("%s has %q, want %q", userName(user), got, want)
		}
	}
}

func (g *goodClients) register(user int, device, token string) {
	body := fmt.Sprintf(`{"deviceId":%q,"expoPushToken":%q,"platform":"ios"}`, device, token)
	g.do(user, http.MethodPost, "", body, http.StatusOK, http.StatusCreated)
}

// list returns the ids of the user's devices.
func (g *goodClients) list(user int) (devices []string) {
	var list struct {
		DeviceTokens []struct{ DeviceID string }
	}
	if err := json.Unmarshal(g.do(user, http.MethodGet, "", "", http.StatusOK), &list); err != nil {
		g.Errorf("list: %v", err)
	}
	for _, d := range list.DeviceTokens {
		devices = append(devices, d.DeviceID)
	}
	return devices
}

func (g *goodClients) do(user int, method, query, body string, right ...int) []byte {
	g.requests.Add(1)
	req, err := http.NewRequest(method, g.url+httpapi.Path+query, strings.NewReader(body))
	if err != nil {
		g.Errorf("%v", err)
		return nil
	}
	req.Header.Set("Authorization", "Bearer "+userName(user))
	req.Header.Set("Content-Type", "application/json")
	resp, err := g.client.Do(req)
	if err != nil {
		g.Errorf("%v", err)
		return nil
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || !slices.Contains(right, resp.StatusCode) {
		g.Errorf("%s was answered with %d, want one of %v; %v", method, resp.StatusCode, right, err)
	}
	return answer
}
