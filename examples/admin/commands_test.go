package main

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/tokens"
)

// longAgo is an expiry in 2017. TTL leaves what expired more than five years ago
// alone, also that of DynamoDB Local.
const longAgo = "1500000000"

// TestList has a device in every state that a table may hold.
func TestList(t *testing.T) {
	d := newDesk(t)
	a := d.register("alice", "a-active", tokenA)
	d.register("alice", "b-out", tokenB)
	if err := d.store.Deactivate(t.Context(), tokens.Key{UserID: "alice", DeviceID: "b-out"}); err != nil {
		t.Fatal(err)
	}
	expired := olderRow("alice", "c-expired", "ExpoPushToken[c]")
	expired["expiresAt"] = longAgo
	d.put(expired)
	d.put(olderRow("alice", "d-\x1b[31mred", "ExpoPushToken[d]"))
	d.put(olderRow("alice", "e-unreadable", "no token"))
	d.put(olderRow("alice", "f-older", "ExpoPushToken[f]"))
	d.register("bob", "phone", "ExpoPushToken[bob]")

	want := map[string]string{
		"a-active": "active", "b-out": "logout", "c-expired": "expired", "d-\x1b[31mred": "unreadable",
		"e-unreadable": "unreadable", "f-older": "active",
	}
	equal(t, "statuses", want, d.statuses("alice"))

	shown := d.run("", "list", "alice")
	shown.want(t, exitOK, "a-active", "ios", a.Token.String(), a.ExpiresAt.Format("2006-01-02"), `"d-\x1b[31mred"`)
	for _, private := range []string{"PushToken[", "\x1b", "bob"} {
		if strings.Contains(shown.out, private) {
			t.Errorf("it shows %q:\n%s", private, shown.out)
		}
	}
	d.run("", "list", "alice", "--reveal").want(t, exitOK, tokenA, tokenB)
	unknown := d.run("", "list", "nobody", "-o", "json")
	unknown.want(t, exitNothing, "nothing is stored for user nobody")
	equal(t, "list of nobody", "[]\n", unknown.out)
	equal(t, "list of nobody as a table", "", d.run("", "list", "nobody").out)
}

func TestHolder(t *testing.T) {
	d := newDesk(t)
	r := d.register("alice", "phone", tokenA)
	hidden := view{
		UserID: "alice", DeviceID: "phone", Status: "active", Platform: "ios", RegisteredAt: timeText(r.RegisteredAt),
		UpdatedAt: timeText(r.UpdatedAt), ExpiresAt: timeText(r.ExpiresAt), Token: r.Token.String(),
	}
	revealed := hidden
	revealed.Token = tokenA
	equal(t, "holder", hidden, read[view](t, d.run(tokenA+"\n", "holder", "-o", "json")))
	equal(t, "holder, revealed", revealed, read[view](t, d.run(" "+tokenA, "holder", "-o", "json", "--reveal")))
	d.run(tokenB, "holder").want(t, exitNothing, "no live registration holds this token")
	for _, stdin := range []string{"", "\n", "ExponentPushToken[in valid]"} {
		o := d.run(stdin, "holder")
		o.want(t, exitFailed, "expoPushToken")
		if strings.Contains(o.err, "valid]") {
			t.Errorf("it shows what it read: %s", o.err)
		}
	}
}

func TestDeactivate(t *testing.T) {
	d := newDesk(t)
	d.register("alice", "phone", tokenA)
	expired := olderRow("alice", "expired", "ExpoPushToken[c]")
	expired["expiresAt"] = longAgo
	d.put(expired)

	for _, no := range []string{"", "n\n", "\n", "yes please\n"} {
		d.run(no, "deactivate", "alice", "phone").want(t, exitFailed, "Deactivate device phone of user alice? [y/N]", "nothing was changed")
	}
	equal(t, "statuses before", map[string]string{"phone": "active", "expired": "expired"}, d.statuses("alice"))

	shown := read[view](t, d.run("y\n", "deactivate", "alice", "phone", "-o", "json"))
	equal(t, "status that it shows", "logout", shown.Status)
	d.run("", "deactivate", "alice", "phone", "--yes").want(t, exitOK, "logout")
	d.run("", "deactivate", "alice", "tablet", "--yes").want(t, exitNothing, "nothing is stored for this device")
	d.run("", "deactivate", "#alice", "phone", "--yes").want(t, exitFailed, "userId")

	// One that has expired, by this machine's clock, is logged out all the same.
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
	d := newDesk(t)
	d.register("alice", "phone", tokenA)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d.runIn(ctx, "y\n", "erase", "alice").want(t, exitFailed, "context canceled")
	equal(t, "devices", 1, len(d.statuses("alice")))
}

// TestUsage checks what a command line may not be, and that a token in one is not
// repeated.
func TestUsage(t *testing.T) {
	credentials(t)
	t.Setenv("AWS_REGION", "")
	for _, tc := range []struct {
		name, says string
		args       []string
	}{
		{"unknown command", `unknown command "lst": use one of console, copy, deactivate, diff, doctor, erase, export, help, holder, import, list, repair, stats, upgrade`, []string{"lst"}},
		{"unknown command with a control", `unknown command "\x1b[31m\u202e"`, []string{"\x1b[31m\u202e"}},
		{"unknown flag", "unknown flag", []string{"list", "--all"}},
		{"unknown flag with a control", `unknown flag: --a\x1b[31m\u202e`, []string{"list", "--a\x1b[31m\u202e"}},
		{"token for a flag", "the shell's history keeps it", []string{"upgrade", "--rate", tokenA}},
		{"bare token for a command", "the shell's history keeps it", []string{bareToken}},
		{"no user", "one user id", []string{"list"}},
		{"two users", "one user id", []string{"erase", "a", "b"}},
		{"no device", "a user id and a device id", []string{"deactivate", "alice"}},
		{"token of a holder", "the shell's history keeps it", []string{"holder", tokenA}},
		{"token for a user", "the shell's history keeps it", []string{"list", tokenA}},
		{"token for a command", "the shell's history keeps it", []string{tokenA}},
		{"help on nothing", `unknown command "lst": use one of console, copy,`, []string{"help", "lst"}},
		{"help on a token", "the shell's history keeps it", []string{"help", tokenA}},
		{"store of another kind", "use dynamodb:TABLE", []string{"list", "alice", "--db", "redis:x"}},
		{"table without a name", "use dynamodb:TABLE", []string{"list", "alice", "--db", "dynamodb:"}},
		{"copy without a target", "--from and --to", []string{"copy", "--from", "dynamodb:a"}},
		{"copy onto itself", "--from and --to", []string{"copy", "--from", "dynamodb:a", "--to", "dynamodb:a"}},
		{"state of an export to a pipe", "--state needs --file", []string{"export", "--state", "s"}},
		{"no segments", "--segments must be 1 to 256", []string{"stats", "--segments", "0"}},
		{"argument of holder", "from standard input", []string{"holder", "alice"}},
		{"output", "table or json", []string{"list", "alice", "-o", "yaml"}},
		{"no store", "no store: use --db", []string{"list", "alice"}},
		{"no region", "no AWS region: use --region", []string{"list", "alice", "--db", "dynamodb:t"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := &desk{t: t}
			o := d.run("", tc.args...)
			o.want(t, exitUsage, tc.says)
			if strings.Contains(o.out+o.err, tokenA) || strings.Contains(o.err, bareToken) || strings.ContainsAny(o.err, "\x1b\u202e") {
				t.Errorf("it repeats a token or a control: %q", o.err)
			}
		})
	}
}

// TestWhy checks that what fails for a reason outside the table names the reason.
func TestWhy(t *testing.T) {
	d := newDesk(t)
	d.run("", "list", "alice", "--db", "dynamodb:"+d.table+"-none").want(t, exitFailed, "ResourceNotFoundException", "no such table")

	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + listener.Addr().String()
	_ = listener.Close()
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	d.run("", "list", "alice", "--endpoint", nobody).want(t, exitFailed, "no response", "connection refused")
	offline := d.run("", "doctor", "--endpoint", nobody, "-o", "json")
	offline.want(t, exitFailed, "no response to DescribeTable", "connection refused")
	equal(t, "findings without a connection", 1, len(read[[]finding](t, offline)))

	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	d.run("", "list", "alice").want(t, exitFailed, "no AWS credentials")
}
