package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestConsole starts the console, opens the address that it prints, and ends it.
func TestConsole(t *testing.T) {
	s := memstore.MustNew(store.Policy{})
	key := tokens.Key{UserID: "alice", DeviceID: "phone"}
	if _, err := s.Register(t.Context(), tokens.Request{Key: key, Token: tokens.MustParseToken(tokenA), Platform: tokens.IOS}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		flags  []string
		status int // of a change
	}{
		{nil, http.StatusNotFound},
		{[]string{"--allow-changes", "--addr", "127.0.0.1:0", "--rate", "1"}, http.StatusOK},
	} {
		ctx, stop := context.WithCancel(t.Context())
		out, printed := io.Pipe()
		var log bytes.Buffer
		p := &program{in: strings.NewReader(""), out: printed, err: &log, getenv: func(string) string { return "" }, stores: map[string]walkedStore{"store": s}}
		code := make(chan int)
		go func() { code <- p.run(ctx, append([]string{"console", "--db", "store"}, tc.flags...)) }()
		var address string
		if _, err := fmt.Fscanf(out, "Console of store, until Ctrl-C: %s\n", &address); err != nil {
			t.Fatal(err)
		}
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		browser := &http.Client{Jar: jar}
		do := func(method, url, body string) (int, string) {
			req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			resp, err := browser.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			text, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode, string(text)
		}
		base, _, _ := strings.Cut(address, "?")
		if status, page := do(http.MethodGet, address, ""); status != http.StatusOK || !strings.Contains(page, "Device tokens") || strings.Contains(page, `id="events"`) {
			t.Errorf("status is %d, and the page has events or is another", status)
		}
		if status, page := do(http.MethodGet, base+"/user?user=alice", ""); status != http.StatusOK || !strings.Contains(page, "alice is reached on 1 of 1 devices") {
			t.Errorf("status is %d, and alice is not found", status)
		}
		if status, _ := do(http.MethodPost, base+"/change", "do=deactivate&user=alice&device=phone"); status != tc.status {
			t.Errorf("status of a change is %d, want %d", status, tc.status)
		}
		stop()
		if got := <-code; got != exitOK {
			t.Errorf("exit code is %d: %s", got, &log)
		}
		if logged := strings.Contains(log.String(), "change=deactivate user=alice device=phone outcome=ok"); logged != (tc.status == http.StatusOK) {
			t.Errorf("log is %q", &log)
		}
	}
	if r, err := s.Get(t.Context(), key); err != nil || r.Status != tokens.LoggedOut {
		t.Errorf("the device is %s, %v", r.Status, err)
	}
	d := &desk{t: t, stores: map[string]walkedStore{"store": s}}
	d.run("", "console", "--db", "store", "--rate", "0").want(t, exitUsage, "--rate is 1 or more")
	d.run("", "console", "--db", "store", "--addr", "nowhere").want(t, exitFailed, "missing port")
	d.run("", "console", "user").want(t, exitUsage, "flags only")
}
