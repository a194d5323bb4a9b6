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
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/internal/e2e"
	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth/oidctest"
)

var binary string // the built program

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

type process struct {
	*exec.Cmd
	url  string       // where it serves
	text string       // what it printed on starting
	log  bytes.Buffer // complete when it has ended
}

// start starts the program and waits until it serves.
func start(t *testing.T, addr string, flags ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.CommandContext(t.Context(), binary, append([]string{"-db", "memory", "-addr", addr}, flags...)...)}
	p.Stderr = &p.log
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
	p.url = regexp.MustCompile(`http://[0-9.]+:[0-9]+`).FindString(p.text)
	if p.url == "" {
		_ = p.Wait()
		t.Fatalf("it printed no address:\n%s%s", p.text, &p.log)
	}
	return p
}

// ask sends a request with the bearer token, unless that is "", and returns the status
// and the body of the response.
func ask(client *http.Client, method, url, bearer, body string) (status int, text string, err error) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	read, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(read), err
}

func (p *process) serves(t *testing.T, want int, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if status, _, err := ask(http.DefaultClient, http.MethodGet, p.url+path, "", ""); status != want {
			t.Errorf("status of %s is %d, want %d; %v", path, status, want, err)
		}
	}
}

// stop sends a signal and checks that the program ends well.
func (p *process) stop(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := p.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, &p.log)
	}
	if !strings.Contains(p.log.String(), "msg=stopped") {
		t.Errorf("log does not say that it stopped:\n%s", &p.log)
	}
}

func TestWalkThrough(t *testing.T) {
	p := start(t, "127.0.0.1:0")
	p.serves(t, http.StatusOK, "/", "/page/page.js")
	e2e.Run(t, p.url, func(user string) string { return user })
	p.stop(t, syscall.SIGTERM)
	logged := p.log.String()
	for text, want := range map[string]bool{
		"PushToken[": false, "alice": false, "bob": false, "phone": false, "OTHER MACHINES": false,
		"the bearer token is taken for the user id": true, "outcome=created": true, "operation=deactivate outcome=ok": true, "moved=true": true,
	} {
		if strings.Contains(logged, text) != want {
			t.Errorf("log has %q: %t, want %t:\n%s", text, !want, want, logged)
		}
	}
}

// TestWalkThroughWithTokens has the server verify tokens. It then has no pages.
func TestWalkThroughWithTokens(t *testing.T) {
	issuer := oidctest.New(t)
	p := start(t, "127.0.0.1:0", "-oidc-issuer", issuer.URL, "-oidc-audience", "app", "-oidc-token", "standard", "-oidc-allow-http")
	p.serves(t, http.StatusNotFound, "/", "/page/page.js", "/console")
	e2e.Run(t, p.url, func(user string) string {
		return issuer.Token(t, map[string]any{"sub": user, "aud": "app"})
	})
	p.stop(t, syscall.SIGTERM)
	if logged := p.log.String(); strings.Contains(logged, "taken for the user id") || strings.Contains(logged, "eyJ") {
		t.Errorf("log warns for nothing, or has a token in it:\n%s", logged)
	}
}

// TestRestart kills the program, and wants everything that it acknowledged from the next
// one on the same file. internal/sqlengines kills a program under load.
func TestRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens with #?%.db")
	p := start(t, "127.0.0.1:0", "-db", file)
	if !strings.Contains(p.text, file) {
		t.Errorf("it does not say where it keeps its data:\n%s", p.text)
	}
	for n := range 20 {
		body := fmt.Sprintf(`{"deviceId":"phone","expoPushToken":"ExpoPushToken[%d]","platform":"ios"}`, n)
		if status, _, err := ask(http.DefaultClient, http.MethodPost, p.url+httpapi.Path, fmt.Sprint("user-", n), body); status != http.StatusCreated {
			t.Fatalf("status is %d, %v", status, err)
		}
	}
	_ = p.Process.Kill()
	_ = p.Wait()

	p = start(t, "127.0.0.1:0", "-db", file)
	for n := range 20 {
		_, devices, err := ask(http.DefaultClient, http.MethodGet, p.url+httpapi.Path, fmt.Sprint("user-", n), "")
		if !strings.Contains(devices, `"deviceId":"phone"`) {
			t.Fatalf("user-%d was registered, and now has %s, %v", n, devices, err)
		}
	}
	p.stop(t, syscall.SIGTERM)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, and it has tokens; %v", info.Mode(), err)
	}
}

// TestShutdown stops the server in the middle of a request, which is answered.
func TestShutdown(t *testing.T) {
	p := start(t, "127.0.0.1:0")
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	answers := bufio.NewReader(conn)
	status := func() int {
		t.Helper()
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	const body = `{"deviceId":"phone","expoPushToken":"ExpoPushToken[x]","platform":"ios"}`
	fmt.Fprintf(conn, "POST /v1/device-tokens HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer alice\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
	if got := status(); got != http.StatusContinue {
		t.Fatalf("status is %d", got)
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for err == nil { // until it accepts no more
		var more net.Conn
		if more, err = net.Dial("tcp", strings.TrimPrefix(p.url, "http://")); err == nil {
			_ = more.Close()
		}
	}
	fmt.Fprint(conn, body)
	if got := status(); got != http.StatusCreated {
		t.Errorf("status is %d", got)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, &p.log)
	}
}

func TestOtherMachines(t *testing.T) {
	p := start(t, "0.0.0.0:0")
	p.stop(t, os.Interrupt)
	if !strings.HasPrefix(p.url, "http://127.0.0.1:") || !strings.Contains(p.log.String(), "OTHER MACHINES") {
		t.Errorf("it says to use %s, or does not warn:\n%s", p.url, &p.log)
	}
}

func TestBadStarts(t *testing.T) {
	p := start(t, "127.0.0.1:0")
	for _, tc := range []struct {
		args string
		code int
		says string
	}{
		{"-addr " + strings.TrimPrefix(p.url, "http://"), 1, "address already in use"},
		{"-addr localhost", 1, "missing port"},
		{"-db mysql://localhost/x", 1, "-db: unknown kind of store: use dynamodb:TABLE"},
		{"-db none/x.db", 1, "no such file"},
		{"8080", 2, "flags only"},
		{"-port 1", 2, "-port"},
		{"-oidc-issuer https://issuer.example", 2, "-oidc-audience: "},
		{"-oidc-issuer=", 2, "-oidc-issuer: "},
		{"-oidc-issuer http://keycloak -oidc-audience app", 2, "-oidc-issuer: "},
		{"-oidc-issuer https://issuer.example -oidc-audience app -oidc-token id", 2, "-oidc-token: "},
		{"-oidc-audience app", 2, "-oidc-issuer: "},
	} {
		t.Run(tc.says, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), binary, strings.Fields(tc.args)...)
			cmd.Dir = t.TempDir() // where it may create its file
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != tc.code || !bytes.Contains(out, []byte(tc.says)) {
				t.Errorf("exit code is %d, want %d; it says:\n%s", code, tc.code, out)
			}
		})
	}
	p.stop(t, syscall.SIGTERM)
}

// TestPaste runs the printed lines in a shell, with curl.
func TestPaste(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") == "" {
		t.Skipf("%v: install curl", err)
	}
	p := start(t, "127.0.0.1:0")
	var got []string // the statuses, and the devices in the bodies
	for _, line := range regexp.MustCompile(`(?m)^curl .*$`).FindAllString(p.text, -1) {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", line).Output()
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		got = append(got, strings.Join(regexp.MustCompile(`^HTTP/1.1 \d+|"deviceId":"[^"]*"`).FindAllString(string(out), -1), " "))
	}
	const phone = ` "deviceId":"phone-1"`
	want := []string{"HTTP/1.1 201" + phone, "HTTP/1.1 200" + phone, "HTTP/1.1 201" + phone, "HTTP/1.1 200", "HTTP/1.1 204"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	p.stop(t, syscall.SIGTERM)
}
