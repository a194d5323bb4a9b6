package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/devicetokens/devicetokens/examples/internal/e2e"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth/oidctest"
)

// binary is the built program.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "local")
	if err != nil {
		log.Fatal(err)
	}
	binary = filepath.Join(dir, "local")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		log.Fatalf("%v: %s", err, out)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// A process is the running program.
type process struct {
	*exec.Cmd
	url  string // where it serves
	text string // what it printed on starting
	log  *lockedBuffer
}

// start starts the program on a free port of addr's host, and waits until it
// serves.
func start(t *testing.T, addr string, flags ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.CommandContext(t.Context(), binary, append([]string{"-db", "memory", "-addr", addr}, flags...)...), log: newLockedBuffer()}
	p.Stderr = p.log
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	text := bufio.NewScanner(stdout)
	for text.Scan() {
		p.text += text.Text() + "\n"
		if strings.HasPrefix(text.Text(), "Ctrl-C") {
			break
		}
	}
	found := regexp.MustCompile(`http://[0-9.]+:[0-9]+`).FindString(p.text)
	if found == "" {
		t.Fatalf("it printed no address:\n%s%s", p.text, p.log)
	}
	p.url = found
	return p
}

// stop sends a signal and checks that the program ends well.
func (p *process) stop(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := p.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.log)
	}
	if !strings.Contains(p.log.String(), "msg=stopped") {
		t.Errorf("log does not say that it stopped:\n%s", p.log)
	}
}

func TestWalkThrough(t *testing.T) {
	p := start(t, "127.0.0.1:0")
	e2e.Run(t, p.url, func(user string) string { return user })
	p.stop(t, syscall.SIGTERM)
	logged := p.log.String()
	for _, private := range []string{"PushToken[", "alice", "bob", "phone"} {
		if strings.Contains(logged, private) {
			t.Errorf("log has %q in it:\n%s", private, logged)
		}
	}
	for _, line := range []string{"the bearer token is taken for the user id", "outcome=created", "operation=deactivate outcome=ok", "moved=true"} {
		if !strings.Contains(logged, line) {
			t.Errorf("log lacks %q:\n%s", line, logged)
		}
	}
	if strings.Contains(logged, "OTHER MACHINES") {
		t.Error("it warns of other machines, which cannot reach it")
	}
}

// TestWalkThroughWithTokens has the server verify who its callers are.
func TestWalkThroughWithTokens(t *testing.T) {
	issuer := oidctest.New(t)
	p := start(t, "127.0.0.1:0", "-oidc-issuer", issuer.URL, "-oidc-audience", "app")
	e2e.Run(t, p.url, func(user string) string {
		return issuer.Token(t, map[string]any{"sub": user, "aud": "app"})
	})
	p.stop(t, syscall.SIGTERM)
	if logged := p.log.String(); strings.Contains(logged, "taken for the user id") || strings.Contains(logged, "eyJ") {
		t.Errorf("log warns for nothing, or has a token in it:\n%s", logged)
	}
}

// TestDemonstration checks that the page is at the root, and never beside a real
// authenticator.
func TestDemonstration(t *testing.T) {
	issuer := oidctest.New(t)
	for _, tc := range []struct {
		flags []string
		want  int
	}{
		{nil, http.StatusOK},
		{[]string{"-oidc-issuer", issuer.URL, "-oidc-audience", "app"}, http.StatusNotFound},
	} {
		p := start(t, "127.0.0.1:0", tc.flags...)
		for _, path := range []string{"/", "/page/page.js"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != tc.want {
				t.Errorf("%v: status of %s is %d, want %d", tc.flags, path, resp.StatusCode, tc.want)
			}
		}
		p.stop(t, syscall.SIGTERM)
	}
}

// TestRestart kills the program while it registers, and wants everything that it
// acknowledged from the next one on the same file.
func TestRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens with #?%.db")
	p := start(t, "127.0.0.1:0", "-db", file)
	if !strings.Contains(p.text, file) {
		t.Errorf("it does not say where it keeps its data:\n%s", p.text)
	}
	var (
		acknowledged [4][]string // user ids
		wg           sync.WaitGroup
		some         atomic.Int64
	)
	for client := range acknowledged {
		wg.Go(func() {
			for n := 0; ; n++ {
				user := fmt.Sprintf("user-%d-%d", client, n)
				body := fmt.Sprintf(`{"deviceId":"phone","expoPushToken":"ExpoPushToken[%s]","platform":"ios"}`, user)
				if status, err := registerAs(t, p.url, user, body); err != nil || status != http.StatusCreated {
					return // killed
				}
				acknowledged[client] = append(acknowledged[client], user)
				if some.Add(1) == 100 {
					_ = p.Process.Kill()
				}
			}
		})
	}
	wg.Wait()
	_ = p.Wait()
	if some.Load() < 100 {
		t.Fatalf("it failed after %d registrations:\n%s", some.Load(), p.log)
	}

	p = start(t, "127.0.0.1:0", "-db", file)
	for _, users := range acknowledged {
		for _, user := range users {
			if devices := listAs(t, p.url, user); !strings.Contains(devices, `"deviceId":"phone"`) {
				t.Fatalf("%s was registered, and now has %s", user, devices)
			}
		}
	}
	p.stop(t, syscall.SIGTERM)
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, and it has tokens", info.Mode())
	}
}

func registerAs(t *testing.T, url, user, body string) (status int, err error) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/device-tokens", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+user)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

func listAs(t *testing.T, url, user string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/device-tokens", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+user)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestShutdown checks that a request that is under way is answered.
func TestShutdown(t *testing.T) {
	p := start(t, "127.0.0.1:0")
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const body = `{"deviceId":"phone","expoPushToken":"ExpoPushToken[x]","platform":"ios"}`
	fmt.Fprintf(conn, "POST /v1/device-tokens HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer alice\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
	answers := bufio.NewReader(conn)
	goAhead, err := http.ReadResponse(answers, nil)
	if err != nil || goAhead.StatusCode != http.StatusContinue {
		t.Fatalf("%v, %v", goAhead, err)
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.log.waitFor(t, "msg=stopping")
	if _, err := io.WriteString(conn, body); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusCreated {
		t.Errorf("status is %d", resp.StatusCode)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, p.log)
	}
}

func TestOtherMachines(t *testing.T) {
	p := start(t, "0.0.0.0:0")
	if !strings.HasPrefix(p.url, "http://127.0.0.1:") {
		t.Errorf("it says to use %s", p.url)
	}
	p.stop(t, os.Interrupt)
	if !strings.Contains(p.log.String(), "OTHER MACHINES") {
		t.Errorf("log does not warn:\n%s", p.log)
	}
}

// TestOIDCSettings has every setting at once, and tokens of two apps.
func TestOIDCSettings(t *testing.T) {
	issuer := oidctest.New(t)
	for _, address := range [][]string{
		{"-oidc-keys-url", issuer.URL + "/keys"},
		{"-oidc-discovery-url", issuer.URL + "/.well-known/openid-configuration", "-oidc-metadata-issuer", issuer.URL},
	} {
		p := start(t, "127.0.0.1:0", append(address, "-oidc-issuer", "name", "-oidc-audience", "ios", "-oidc-audience", "android",
			"-oidc-audience-claim", "azp", "-oidc-algorithms", "ES256 EdDSA", "-oidc-token", "standard", "-oidc-allow-http")...)
		for app, want := range map[string]int{"ios": 200, "android": 200, "web": 401} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/v1/device-tokens", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+issuer.Token(t, map[string]any{"iss": "name", "sub": "alice", "azp": app}))
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%s: status is %d, want %d", app, resp.StatusCode, want)
			}
		}
		p.stop(t, syscall.SIGTERM)
	}
}

func TestBadStarts(t *testing.T) {
	p := start(t, "127.0.0.1:0")
	for _, tc := range []struct {
		name, says string
		args       []string
		code       int
	}{
		{"port in use", "address already in use", []string{"-addr", strings.TrimPrefix(p.url, "http://")}, 1},
		{"no port", "missing port", []string{"-addr", "localhost"}, 1},
		{"another database", "-db: unknown kind of store: use dynamodb:TABLE", []string{"-db", "mysql://localhost/x"}, 1},
		{"a file in no folder", "no such file", []string{"-db", "none/x.db"}, 1},
		{"an argument", "flags only", []string{"8080"}, 2},
		{"an issuer without an audience", "-oidc-audience: ", []string{"-oidc-issuer", "https://issuer.example"}, 2},
		{"an issuer that is empty", "-oidc-issuer: ", []string{"-oidc-issuer", ""}, 2},
		{"keys without an issuer", "-oidc-issuer: ", []string{"-oidc-keys-url", "https://issuer.example"}, 2},
		{"keys over http", "-oidc-keys-url: ", []string{"-oidc-issuer", "name", "-oidc-audience", "app", "-oidc-keys-url", "http://keycloak"}, 2},
		{"a secret's algorithm", "-oidc-algorithms: ", []string{"-oidc-issuer", "https://issuer.example", "-oidc-audience", "app", "-oidc-algorithms", "HS256"}, 2},
		{"an audience without an issuer", "-oidc-issuer: ", []string{"-oidc-audience", "app"}, 2},
		{"an unknown flag", "-port", []string{"-port", "1"}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), binary, tc.args...)
			cmd.Dir = t.TempDir() // where it may create its file
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != tc.code || !bytes.Contains(out, []byte(tc.says)) {
				t.Errorf("exit code is %d, want %d; it says:\n%s", code, tc.code, out)
			}
		})
	}
	p.stop(t, syscall.SIGTERM)
}
