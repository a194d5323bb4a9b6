package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// older fills the table as the earlier service left it: eleven users, two of which have
// the same token, and an unreadable row.
func (d *desk) older() {
	for i := range 10 {
		d.put(olderRow(fmt.Sprint("user-", i), "phone", fmt.Sprintf("ExpoPushToken[%d]", i)))
	}
	later := olderRow("heir", "phone", "ExponentPushToken[3]")
	later["updatedAt"] = "2024-03-01T00:00:00.000Z"
	d.put(later)
	d.put(olderRow("odd", "phone", "no token"))
}

func (d *desk) stored() []any {
	d.t.Helper()
	var items []any
	for _, item := range dynamotest.Scan(d.t, d.client, d.table) {
		var v any
		d.check(json.Unmarshal([]byte(dynamotest.ItemJSON(item)), &v))
		items = append(items, v)
	}
	return items
}

func TestUpgrade(t *testing.T) {
	d := newDesk(t)
	d.logInterval = 1
	d.older()
	dry := summary{
		DryRun: true, Rows: 12, WithoutExpiry: 11, Unclaimed: 11,
		Duplicates: []duplicateView{{Removed: keyView{"user-3", "phone"}, Kept: keyView{"heir", "phone"}}},
		Unreadable: []keyView{{"odd", "phone"}},
	}
	before := d.stored()

	got := read[summary](t, d.run("", "upgrade", "--dry-run", "-o", "json"))
	if diff := cmp.Diff(dry, got, cmpopts.IgnoreFields(summary{}, "ReadUnits", "WriteUnits")); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	d.run("n\n", "upgrade").want(t, exitFailed, "DRY RUN", "user-3 phone, kept: heir phone",
		"Upgrade 11 rows, and remove 1 of them? [y/N]", "nothing was changed")
	equal(t, "rows after a dry run and a no", before, d.stored())

	o := d.run("y\n", "upgrade", "--page-size", "3", "--ttl", "720h", "--rate", "10000")
	o.want(t, exitOK, "UPGRADED", "removed, another row keeps the token", `msg="dry run" rows=`, "msg=upgrade of=12 rows=")
	equal(t, "rows and claims", 11+10, len(dynamotest.Scan(t, d.client, d.table)))
	d.run("ExpoPushToken[3]", "holder").want(t, exitOK, "heir")

	d.run("", "upgrade").want(t, exitOK, "Nothing to change.")
	d.run("", "repair").want(t, exitOK, "Nothing to change.")
}

// TestUpgradeResumed loses the table in the middle of the writing pass, and continues as
// the message says.
func TestUpgradeResumed(t *testing.T) {
	d := newDesk(t)
	d.older()
	var scans atomic.Int64
	d.transport = dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
		// The dry run reads twelve rows in six or seven pages.
		if dynamotest.Operation(r) == "Scan" && scans.Add(1) >= 10 {
			return dynamotest.Failure(r, http.StatusBadRequest, "AccessDeniedException", "user-1"), nil
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	broken := d.run("y\n", "upgrade", "--segments", "1", "--page-size", "2")
	broken.want(t, exitFailed, "UPGRADED", "interrupted: run it again with --resume ", "AccessDeniedException")
	cursor := regexp.MustCompile(`--resume (\S+) to continue:`).FindStringSubmatch(broken.err)
	if cursor == nil || strings.Contains(broken.err, "user-1") {
		t.Fatalf("it says\n%s", broken.err)
	}
	done := len(dynamotest.Scan(t, d.client, d.table))
	if done <= 12 || done >= 21 {
		t.Errorf("it stopped with %d rows and claims, want some claims and not all", done)
	}

	d.transport = nil
	d.run("y\n", "upgrade", "--resume", cursor[1]).want(t, exitOK, "UPGRADED")
	equal(t, "rows and claims", 11+10, len(dynamotest.Scan(t, d.client, d.table)))
	d.run("", "upgrade").want(t, exitOK, "Nothing to change.")
	d.run("", "upgrade", "--resume", "nonsense").want(t, exitFailed, "Resume is not the Cursor of a report")
	d.run("", "upgrade", "--rate", "-1").want(t, exitFailed, "RowsPerSecond is -1")
}

// TestUpgradeOnATerminal checks that there is a bar on a terminal and no log, and
// that neither is in the output.
func TestUpgradeOnATerminal(t *testing.T) {
	d := newDesk(t)
	d.logInterval = 1
	d.older()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		if runtime.GOOS != "linux" {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	defer func() { _ = terminal.Close() }()
	var out bytes.Buffer
	code := d.program(strings.NewReader(""), &out, terminal).run(t.Context(), []string{"upgrade", "--yes", "--page-size", "1", "-o", "json", "--endpoint", dynamotest.Endpoint(t)})
	if code != exitOK || strings.Contains(out.String(), "rows/") || strings.Count(out.String(), "dryRun") != 2 {
		t.Errorf("exit code is %d, and it wrote\n%s", code, &out)
	}
	// The terminal echoes the input.
	shown := make([]byte, 1<<16)
	n, err := terminal.Read(shown)
	text := string(shown[:n])
	if err != nil || !strings.Contains(text, "dry run") || strings.Contains(text, "level=") {
		t.Errorf("it shows %q, %v", text, err)
	}
}
