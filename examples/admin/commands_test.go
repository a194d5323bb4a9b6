package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/tokens"
)

// expiredRow expired in 2017. TTL removes no items that expired over five years ago.
func expiredRow(user, device, token string) map[string]string {
	row := olderRow(user, device, token)
	row["expiresAt"] = "1500000000"
	return row
}

// TestList has a device in every state.
func TestList(t *testing.T) {
	d := newDesk(t)
	a := d.register("alice", "a-active", tokenA)
	d.register("alice", "b-out", tokenB)
	d.check(d.store.Deactivate(t.Context(), tokens.Key{UserID: "alice", DeviceID: "b-out"}))
	d.put(expiredRow("alice", "c-expired", "ExpoPushToken[c]"))
	d.put(olderRow("alice", "d-\x1b[31mred", "ExpoPushToken[d]"))
	d.put(olderRow("alice", "e-unreadable", "no token"))
	d.put(olderRow("alice", "f-older", "ExpoPushToken[f]"))
	d.register("bob", "phone", "ExpoPushToken[bob]")

	equal(t, "statuses", map[string]string{
		"a-active": "active", "b-out": "logout", "c-expired": "expired", "d-\x1b[31mred": "unreadable",
		"e-unreadable": "unreadable", "f-older": "active",
	}, d.statuses("alice"))
	shown := d.run("", "list", "alice")
	shown.want(t, exitOK, "a-active", "ios", a.Token.String(), a.ExpiresAt.Format("2006-01-02"), `"d-\x1b[31mred"`)
	shown.lacks(t, "PushToken[", "\x1b", "bob")
	d.run("", "list", "alice", "--reveal").want(t, exitOK, tokenA, tokenB)
	unknown := d.run("", "list", "nobody", "-o", "json")
	unknown.want(t, exitNothing, "nothing is stored for user nobody")
	equal(t, "list of nobody", "[]\n", unknown.out)
	equal(t, "list of nobody as a table", "", d.run("", "list", "nobody").out)
}

func TestHolder(t *testing.T) {
	d := newDesk(t)
	r := d.register("alice", "phone", tokenA)
	want := map[string]string{
		"userId": "alice", "deviceId": "phone", "status": "active", "platform": "ios", "token": r.Token.String(), "registeredAt": r.RegisteredAt.Format(time.RFC3339),
		"updatedAt": r.UpdatedAt.Format(time.RFC3339), "expiresAt": r.ExpiresAt.Format(time.RFC3339),
	}
	equal(t, "holder", want, read[map[string]string](t, d.run(tokenA+"\n", "holder", "-o", "json")))
	want["token"] = tokenA
	equal(t, "holder, revealed", want, read[map[string]string](t, d.run(" "+tokenA, "holder", "-o", "json", "--reveal")))
	d.run(tokenB, "holder").want(t, exitNothing, "no live registration holds this token")
	for _, stdin := range []string{"", "\n", "ExponentPushToken[in valid]"} {
		o := d.run(stdin, "holder")
		o.want(t, exitFailed, "expoPushToken")
		o.lacks(t, "valid]")
	}
}

func TestDeactivate(t *testing.T) {
	d := newDesk(t)
	d.register("alice", "phone", tokenA)
	d.put(expiredRow("alice", "expired", "ExpoPushToken[c]"))

	for _, no := range []string{"", "\n", "yes please\n"} {
		d.run(no, "deactivate", "alice", "phone").want(t, exitFailed, "Deactivate device phone of user alice? [y/N]", "nothing was changed")
	}
	equal(t, "statuses before", map[string]string{"phone": "active", "expired": "expired"}, d.statuses("alice"))

	equal(t, "status", "logout", read[view](t, d.run("y\n", "deactivate", "alice", "phone", "-o", "json")).Status)
	d.run("", "deactivate", "alice", "phone", "--yes").want(t, exitOK, "logout")
	d.run("", "deactivate", "alice", "tablet", "--yes").want(t, exitNothing, "nothing is stored for this device")
	d.run("", "deactivate", "#alice", "phone", "--yes").want(t, exitFailed, "userId")

	// A registration that is expired by this machine's clock is logged out too.
	d.run("", "deactivate", "alice", "expired", "--yes").want(t, exitOK, "expired")
	for _, item := range dynamotest.Scan(t, d.client, d.table) {
		if _, inactive := item["inactiveReason"]; !inactive && item["expoPushToken"] != nil {
			t.Errorf("%v was not deactivated", item["deviceId"])
		}
	}
}

func TestErase(t *testing.T) {
	d := newDesk(t)
	d.register("alice", "phone", tokenA)
	d.put(olderRow("alice", "unreadable", "no token"))
	d.register("bob", "phone", tokenB)

	d.run("n\n", "erase", "alice").want(t, exitFailed, "Erase 2 registrations of user alice? [y/N]", "nothing was changed")
	equal(t, "devices before", 2, len(d.statuses("alice")))
	equal(t, "erasure", erasure{UserID: "alice", Found: 2}, read[erasure](t, d.run("yes\n", "erase", "alice", "-o", "json")))
	equal(t, "devices after", 0, len(d.statuses("alice")))
	equal(t, "bob's", map[string]string{"phone": "active"}, d.statuses("bob"))
	equal(t, "rows and claims", 2, len(dynamotest.Scan(t, d.client, d.table)))
	equal(t, "erasure of nothing", erasure{UserID: "alice"}, read[erasure](t, d.run("", "erase", "alice", "-y", "-o", "json")))

	d.run("", "erase", "alice").want(t, exitNothing, "nothing is stored for user alice")

	d.run("", "erase", "#carol", "-y").want(t, exitFailed, "userId")
	d.put(olderRow("#carol", "phone", "ExponentPushToken[carol]"))
	d.run("", "erase", "#carol", "-y").want(t, exitOK, "#carol")
	equal(t, "rows and claims without #carol", 2, len(dynamotest.Scan(t, d.client, d.table)))
}

// TestSignal ends a command that waits for an answer.
func TestSignal(t *testing.T) {
	d, _, _ := newStores(t)
	d.register("alice", "phone", tokenA)
	ctx, cancel := context.WithCancel(t.Context())
	in, _ := io.Pipe()
	asked := writer(func(text []byte) (int, error) {
		cancel()
		return len(text), nil
	})
	equal(t, "exit code", exitFailed, d.program(in, io.Discard, asked).run(ctx, []string{"erase", "alice", "--db", "a"}))
	d.run("", "list", "alice", "--db", "a").want(t, exitOK, "phone")
}

type writer func([]byte) (int, error)

func (w writer) Write(text []byte) (int, error) { return w(text) }

// TestUsage has wrong command lines. No output repeats a token or a control character.
func TestUsage(t *testing.T) {
	credentials(t)
	t.Setenv("AWS_REGION", "")
	const history, unknown = "the shell's history keeps it", `unknown command "lst": use one of console, copy, deactivate, diff, doctor, erase, export, holder, import, list, repair, stats, upgrade`
	for _, tc := range [][2]string{ // a command line and its error
		{"lst", unknown},
		{"help list", `unknown command "help"`},
		{"\x1b[31m\u202e", `unknown command "\x1b[31m\u202e"`},
		{"list --a\x1b[31m\u202e", `unknown flag: --a\x1b[31m\u202e`},
		{"upgrade --rate " + tokenA, history},
		{"holder " + tokenA, history},
		{tokenA, history},
		{bareToken, history},
		{"list", "one user id"},
		{"erase a b", "one user id"},
		{"deactivate alice", "a user id and a device id"},
		{"holder alice", "from standard input"},
		{"console alice", "flags only"},
		{"list alice -o yaml", "table or json"},
		{"list alice", "no store: use --db"},
		{"upgrade", "no store: use --db"},
		{"list alice --db dynamodb:t", "no AWS region: use --region"},
		{"list alice --db redis:x", "use dynamodb:TABLE"},
		{"list alice --db dynamodb:", "use dynamodb:TABLE"},
		{"stats --db memory", "unknown kind of store"},
		{"doctor --db tokens.db", "needs a DynamoDB table"},
		{"copy --from dynamodb:a", "--from and --to"},
		{"copy --from dynamodb:a --to dynamodb:a", "--from and --to"},
		{"export --state s", "--state needs --file"},
		{"stats --segments 0", "--segments must be 1 to 256"},
		{"stats --segments 257", "--segments must be 1 to 256"},
		{"stats --page-size 0", "--page-size 1 to 1000"},
		{"stats --page-size 1001", "--page-size 1 to 1000"},
	} {
		o := (&desk{t: t}).run("", strings.Fields(tc[0])...)
		o.want(t, exitUsage, tc[1])
		o.lacks(t, tokenA, bareToken, "\x1b", "\u202e")
	}
}

// TestWhy has failures outside the table, whose reason is named.
func TestWhy(t *testing.T) {
	d := newDesk(t)
	d.run("", "list", "alice", "--db", "dynamodb:"+d.table+"-none").want(t, exitFailed, "ResourceNotFoundException", "no such table")
	file := filepath.Join(t.TempDir(), "missing.db")
	d.run("", "stats", "--db", file).want(t, exitFailed, "no such file")
	d.run("", "copy", "--from", file, "--to", file+"2").want(t, exitFailed, "--from: no such file")
	if _, err := os.Stat(file); err == nil {
		t.Error("the missing file was created")
	}
	d.run("", "list", "alice", "--db", "postgres://u:secret@[::1/x").want(t, exitFailed, "the postgres:// URL is invalid")

	const nobody = "http://127.0.0.1:1" // a port without a server
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	d.run("", "list", "alice", "--endpoint", nobody).want(t, exitFailed, "no response", "connection refused")
	offline := d.run("", "doctor", "--endpoint", nobody, "-o", "json")
	offline.want(t, exitFailed, "no response to DescribeTable", "connection refused")
	equal(t, "findings without a connection", 1, len(read[[]finding](t, offline)))

	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	d.run("", "list", "alice").want(t, exitFailed, "no AWS credentials")
}

// TestConsole opens the address that the console prints, tries a change, and ends it.
func TestConsole(t *testing.T) {
	d, s, _ := newStores(t)
	key := d.register("alice", "phone", tokenA).Key
	for _, flags := range [][]string{nil, {"--allow-changes", "--rate", "1"}} {
		ctx, stop := context.WithCancel(t.Context())
		out, printed := io.Pipe()
		var log bytes.Buffer
		code := make(chan int)
		go func() {
			code <- d.program(strings.NewReader(""), printed, &log).run(ctx, append([]string{"console", "--db", "a"}, flags...))
		}()
		var address string
		_, err := fmt.Fscanf(out, "Console of a, until Ctrl-C: %s\n", &address)
		d.check(err)
		jar, _ := cookiejar.New(nil) // its error is always nil
		browser := &http.Client{Jar: jar}
		opened, err := browser.Get(address)
		d.check(err)
		page, err := io.ReadAll(opened.Body)
		d.check(errors.Join(err, opened.Body.Close()))
		if text := string(page); !strings.Contains(text, "Device tokens") || strings.Contains(text, `id="events"`) {
			t.Errorf("the page has another heading, or has events:\n%s", text)
		}
		changed, err := browser.PostForm(strings.Split(address, "?")[0]+"/change", url.Values{"do": {"deactivate"}, "user": {"alice"}, "device": {"phone"}})
		d.check(err)
		d.check(changed.Body.Close())
		stop()
		equal(t, "exit code", exitOK, <-code)
		r, err := s.Get(t.Context(), key)
		d.check(err)
		logged := strings.Contains(log.String(), "change=deactivate user=alice device=phone outcome=ok")
		if allowed := flags != nil; logged != allowed || (r.Status == tokens.LoggedOut) != allowed {
			t.Errorf("the device is %s, and the log %q", r.Status, &log)
		}
	}
	d.run("", "console", "--db", "a", "--rate", "0").want(t, exitUsage, "--rate is 1 or more")
	d.run("", "console", "--db", "a", "--addr", "nowhere").want(t, exitFailed, "missing port")
}
