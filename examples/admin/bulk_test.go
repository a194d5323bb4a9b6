package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/internal/sqlengines"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// newStores returns a desk with the stores "a" and "b" in memory only.
func newStores(t *testing.T) (d *desk, a, b *memstore.Store) {
	t.Helper()
	a, b = memstore.MustNew(store.Policy{}), memstore.MustNew(store.Policy{})
	return &desk{t: t, store: a, stores: map[string]walkedStore{"a": a, "b": b}}, a, b
}

func (d *desk) fill(n int) {
	d.t.Helper()
	for i := range n {
		r := d.register(tokens.UserID(fmt.Sprintf("user-%03d", i)), "phone", fmt.Sprintf("ExponentPushToken[%d]", i))
		if i%3 == 0 {
			d.check(d.store.Deactivate(d.t.Context(), r.Key))
		}
	}
}

// all returns the lines of all that a store holds, in order.
func all(t *testing.T, w store.Walker) []string {
	t.Helper()
	var lines []string
	for r, err := range store.Walk(t.Context(), w, "", 1000) {
		if err != nil {
			t.Fatal(err)
		}
		text, err := marshal(lineOf(r, true))
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(text)+"\n")
	}
	slices.Sort(lines)
	return lines
}

func sortedLines(text string) []string {
	lines := slices.Collect(strings.Lines(text))
	slices.Sort(lines)
	return lines
}

// TestExportImport copies a DynamoDB table to another store by lines of JSON.
func TestExportImport(t *testing.T) {
	d := newDesk(t)
	d.register("alice\u202e", "ph\u200bone", tokenA)
	out := d.register("bob", "phone", tokenB)
	d.check(d.store.Deactivate(t.Context(), out.Key))
	target := memstore.MustNew(store.Policy{})
	d.stores = map[string]walkedStore{"b": target}

	hidden := d.run("", "export")
	hidden.want(t, exitOK, out.Token.Hash().String(), "2 registrations written, 0 of them unreadable")
	hidden.lacks(t, "PushToken[", "\u202e", "\u200b")
	d.run(hidden.out, "import", "--db", "b").want(t, exitFailed, "line 1: the line has no expoPushToken", "line 2: the line has no expoPushToken")

	lines := d.run("", "export", "--tokens")
	d.run(lines.out, "import", "--db", "b").want(t, exitOK, "imported         2")
	equal(t, "what is stored", sortedLines(lines.out), all(t, target))

	d.put(olderRow("carol", "unreadable", "no token"))
	lines = d.run("", "export", "--tokens")
	lines.want(t, exitOK, `"userId":"carol","deviceId":"unreadable","error":"store: stored registration cannot be decoded`, "1 of them unreadable")
	d.run(lines.out, "import", "--db", "b").want(t, exitFailed, "the registration could not be decoded when it was exported", "kept             2")
	d.run("", "copy", "--from", "dynamodb:"+d.table, "--to", "b", "-y").want(t, exitFailed, "user carol, device unreadable: ", "unreadable       1")
	d.run("", "diff", "--from", "dynamodb:"+d.table, "--to", "b").want(t, exitFailed, "unreadable\tcarol\tunreadable\n")
	equal(t, "statistics of a table", map[string]int{
		"total": 3, "status active": 1, "status logout": 1, "status unreadable": 1, "platform ios": 2, "project -": 2,
	}, read[map[string]int](t, d.run("", "stats", "-o", "json")))

	file := filepath.Join(t.TempDir(), "export")
	d.run("", "export", "--file", file).want(t, exitOK)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the file is %v, %v", info.Mode(), err)
	}
	d.run("", "export", "--file", file).want(t, exitFailed, "file exists")
}

// TestImportOutcomes has a line for each outcome and for each way of being invalid.
func TestImportOutcomes(t *testing.T) {
	d, a, b := newStores(t)
	d.fill(3)
	a2 := all(t, a)
	d.run(strings.Join(a2, ""), "import", "--db", "b").want(t, exitOK, "imported         3")
	d.check(a.Deactivate(t.Context(), tokens.Key{UserID: "user-001", DeviceID: "phone"}))
	now := all(t, a)
	expired := strings.Replace(a2[0], `"expiresAt":"2`, `"expiresAt":"1`, 1)
	unpaired := strings.Replace(a2[0], "user-000", `user-\ud800`, 1)

	input := "\ufeff" + now[1] + // a status
		"\r\n" + strings.TrimSuffix(now[2], "\n") + "\r\n\n" + // kept
		expired +
		strings.Replace(a2[0], `"ios"`, `"windows"`, 1) +
		strings.Replace(a2[0], `"tokenHash":"`, `"tokenHash":"0`, 1) +
		unpaired + "{}\nnull\n[]\n" + `{"userId":1}` + "\n" + now[0] + now[0][:20]
	o := d.run(input, "import", "--db", "b", "--page-size", "3", "-o", "json")
	const form = ": the line is not one JSON object"
	o.want(t, exitFailed, "line 6: tokens: invalid platform (unknown)\n", "line 7: tokenHash is not the hash",
		"line 8"+form, "line 9: the line has no expoPushToken", "line 10"+form, "line 11"+form, "line 12"+form, "line 14"+form, "not everything was imported")
	equal(t, "counts", map[string]int{"lines": 12, "imported": 0, "imported_status": 1, "kept": 2, "expired": 1, "invalid": 8},
		read[map[string]int](t, o))
	o.lacks(t, "PushToken[", "windows")
	d.run("\n"+strings.Repeat("x", maxLine+1), "import", "--db", "b").want(t, exitFailed, "line 2 is longer than 64 KiB")
	equal(t, "what is stored", now, all(t, b))
}

// TestCopyAndPrune: a second copy leaves deleted users in the target until diff --prune.
func TestCopyAndPrune(t *testing.T) {
	d, a, b := newStores(t)
	d.fill(30)
	run := func(stdin, command string, more ...string) outcome {
		return d.run(stdin, append([]string{command, "--from", "a", "--to", "b"}, more...)...)
	}
	run("n\n", "copy").want(t, exitFailed, "must not serve yet. [y/N]", "nothing was changed")
	equal(t, "target before", 0, len(all(t, b)))
	run("y\n", "copy", "--page-size", "7").want(t, exitOK, "imported         30", "kept             0")
	equal(t, "target", all(t, a), all(t, b))
	same := run("", "diff")
	same.want(t, exitOK)
	equal(t, "differences", "", same.out)

	d.check(a.DeleteUser(t.Context(), "user-004"))
	d.register("user-004-heir", "phone", "ExponentPushToken[4]")
	d.register("user-005", "tablet", tokenA)
	d.check(a.Deactivate(t.Context(), tokens.Key{UserID: "user-007", DeviceID: "phone"}))
	d.check(a.DeleteUser(t.Context(), "user-006"))
	o := run("", "diff")
	o.want(t, exitFailed, "the stores differ")
	equal(t, "differences before a second copy", []string{
		"different\tuser-007\tphone\tstatus\n", "extra\tuser-004\tphone\n", "extra\tuser-006\tphone\n",
		"missing\tuser-004-heir\tphone\n", "missing\tuser-005\ttablet\n",
	}, sortedLines(o.out))
	run("", "copy", "-y").want(t, exitOK, "imported         2", "imported_status  1", "kept             27")
	equal(t, "differences after a second copy", `{"difference":"extra","userId":"user-006","deviceId":"phone"}`+"\n", run("", "diff", "-o", "json").out)
	run("n\n", "diff", "--prune").want(t, exitFailed, "Delete 1 registration from b that a does not have? [y/N]", "nothing was changed")
	run("", "diff").want(t, exitFailed)
	run("", "diff", "--prune", "--yes").want(t, exitOK, "pruned")
	equal(t, "target after all", all(t, a), all(t, b))
}

// TestCopyBetweenDatabases copies a registry through every kind of store and back, with
// every registration, status and time.
func TestCopyBetweenDatabases(t *testing.T) {
	d := newDesk(t)
	open := func(name string) *database.Database {
		db, err := database.Open(t.Context(), name, database.Options{Create: true, Endpoint: dynamotest.Endpoint(t)})
		d.check(err)
		t.Cleanup(func() { d.check(db.Close()) })
		return db
	}
	source := filepath.Join(t.TempDir(), "source.db")
	db := open(source)
	d.store = db.Store
	d.fill(250)
	gone := d.register("gone", "phone", "ExpoPushToken[gone]")
	d.check(d.store.Invalidate(t.Context(), gone.Key, gone.Token.Hash(), gone.UpdatedAt.AddDate(0, 0, 1)))
	d.check(d.store.Delete(t.Context(), tokens.Key{UserID: "user-001", DeviceID: "phone"}))
	want := all(t, db.Walker)

	from := source
	for _, to := range []string{emptyPostgres(t), "dynamodb:" + d.table, filepath.Join(t.TempDir(), "back.db")} {
		d.run("", "copy", "--from", from, "--to", to, "--yes").want(t, exitOK, "imported         250")
		d.run("", "copy", "--from", from, "--to", to, "--yes").want(t, exitOK, "kept             250")
		d.run("", "diff", "--from", source, "--to", to).want(t, exitOK)
		equal(t, "what is stored", want, all(t, open(to).Walker))
		from = to
	}
	d.run("", "list", "gone", "--db", from).want(t, exitOK, "device_not_registered")
}

// emptyPostgres returns the URL of a schema of its own.
func emptyPostgres(t *testing.T) string {
	t.Helper()
	server, schema := sqlengines.Postgres(t), "admin_"+strings.ToLower(rand.Text())
	db := server.Open(t, sqlengines.Options{})
	server.Exec(t, db, "CREATE SCHEMA "+schema)
	t.Cleanup(func() { server.Exec(t, db, "DROP SCHEMA "+schema+" CASCADE") })
	at, err := url.Parse(sqlengines.PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	query := at.Query()
	query.Set("search_path", schema)
	at.RawQuery = query.Encode()
	return at.String()
}

func TestCompareRecords(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	until := func(expiry time.Time) *store.Record {
		return &store.Record{Registration: tokens.Registration{
			Token: tokens.MustParseToken(tokenA), Platform: tokens.IOS, Status: tokens.Active, UpdatedAt: now, ExpiresAt: expiry,
		}}
	}
	live, expired, unlimited, unreadable := until(now.Add(time.Hour)), until(now), until(time.Time{}), &store.Record{Err: errBroken}
	for name, tc := range map[string]struct {
		here, there *store.Record
		kind        string
		fields      []string
	}{
		"expired there":    {live, expired, missing, nil},
		"expired here":     {expired, nil, "", nil},
		"expired in both":  {expired, expired, "", nil},
		"unreadable there": {live, unreadable, statusUnreadable, nil},
		"no expiry here":   {unlimited, live, "", nil},
		"everything": {&store.Record{Registration: tokens.Registration{
			Token: tokens.MustParseToken(tokenB), Platform: tokens.Android, ProjectID: "p", Status: tokens.LoggedOut,
			RegisteredAt: now, UpdatedAt: now.Add(1), ExpiresAt: now.Add(2),
		}}, live, different, []string{"expoPushToken", "platform", "projectId", "status", "registeredAt", "updatedAt", "expiresAt"}},
	} {
		kind, fields := compareRecords(*tc.here, tc.there, now)
		equal(t, "kind of "+name, tc.kind, kind)
		equal(t, "fields of "+name, tc.fields, fields)
	}
}

// A broken store fails after a number of pages and of imports.
type broken struct {
	*memstore.Store
	page    func() error
	imports int
}

func (b *broken) Page(ctx context.Context, from store.Cursor, limit int) ([]store.Record, store.Cursor, error) {
	if err := b.page(); err != nil {
		return nil, "", err
	}
	return b.Store.Page(ctx, from, limit)
}

func (b *broken) Import(ctx context.Context, r tokens.Registration) (store.ImportOutcome, error) {
	if b.imports--; b.imports < 0 {
		return "", errBroken
	}
	return b.Store.Import(ctx, r)
}

var errBroken = errors.New("broken")

// TestResume interrupts each command at its fifth page, or kills it there, and runs it
// again.
func TestResume(t *testing.T) {
	for command, flags := range map[string][]string{
		"export": {"--db", "a", "--tokens"}, "stats": {"--db", "a"}, "copy": {"--from", "a", "--to", "b", "-y"}, "diff": {"--from", "a", "--to", "b"},
	} {
		for _, killed := range []bool{false, true} {
			t.Run(fmt.Sprint(command, killed), func(t *testing.T) {
				d, a, b := newStores(t)
				d.fill(100)
				dir := t.TempDir()
				state, file := filepath.Join(dir, "state"), filepath.Join(dir, "file")
				var pages atomic.Int32 // segments are walked concurrently
				left := map[string][]byte{}
				d.stores["a"] = &broken{Store: a, page: func() error {
					if pages.Add(1) != 5 {
						return nil
					}
					for _, name := range []string{state, file} { // a kill leaves these
						left[name], _ = os.ReadFile(name)
					}
					return errBroken
				}}
				args := append([]string{command, "-o", "json", "--state", state, "--segments", "3", "--page-size", "10"}, flags...)
				if command == "export" {
					args = append(args, "--file", file)
				}
				d.run("", args...).want(t, exitFailed, "run it again with the same --state to continue: broken")
				d.run("", "stats", "--db", "b", "--state", state).want(t, exitFailed, "--state: the file is from another command")
				if killed {
					d.check(os.WriteFile(state, left[state], 0o600))
					if command == "export" {
						d.check(os.WriteFile(file, append(left[file], `{"userId":"half a li`...), 0o600))
					}
				}
				pages.Store(5)
				second := d.run("", args...)
				if pages.Load() >= 5+11 {
					t.Errorf("it began anew: %d pages", pages.Load()-5)
				}
				if _, err := os.Stat(state); err == nil {
					t.Error("the state is still there")
				}
				switch command {
				case "export":
					text, _ := os.ReadFile(file)
					equal(t, "lines", all(t, a), sortedLines(string(text)))
				case "stats":
					second.want(t, exitOK, `"total": 100`, `"status active": 66`, `"status logout": 34`)
				case "copy":
					equal(t, "target", all(t, a), all(t, b))
					counts := read[map[string]int](t, second)
					equal(t, "outcomes", 100, counts["imported"]+counts["kept"])
				case "diff":
					second.want(t, exitFailed, "missing     100")
				}
			})
		}
	}
}

// TestImportResumed loses the target in the middle.
func TestImportResumed(t *testing.T) {
	d, a, b := newStores(t)
	d.fill(50)
	lines := strings.Join(all(t, a), "")
	target := &broken{Store: b, imports: 25}
	d.stores["b"] = target
	args := []string{"import", "--db", "b", "--state", filepath.Join(t.TempDir(), "state"), "--page-size", "10", "--segments", "1", "-o", "json"}
	d.run(lines, args...).want(t, exitFailed, "run it again with the same --state", "broken")
	target.imports = 1000
	d.run(strings.Replace(lines, "user-001", "user-999", 1), args...).want(t, exitFailed, "the input differs from the input of the interrupted import")
	d.run("", args...).want(t, exitFailed, "the input differs")
	equal(t, "counts", map[string]int{"lines": 50, "imported": 45, "imported_status": 0, "kept": 5, "expired": 0, "invalid": 0},
		read[map[string]int](t, d.run(lines, args...)))
	equal(t, "target", all(t, a), all(t, b))
}

// FuzzParseLine checks that a parsed line is written unchanged.
func FuzzParseLine(f *testing.F) {
	f.Add(`{"userId":"a","deviceId":"b","expoPushToken":"ExpoPushToken[c]","platform":"ios","status":"active","updatedAt":"2026-01-02T03:04:05.678Z"}`)
	f.Add(`{"userId":"a\u202e","deviceId":"b","expoPushToken":"ExpoPushToken[c]","platform":"ios","status":"logout","expiresAt":"9999-12-31T23:59:59+14:00"}`)
	f.Add(`{} {}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseLine([]byte(text))
		if err != nil {
			return
		}
		again, err := marshal(lineOf(store.Record{Key: r.Key, Registration: r}, true))
		if err != nil {
			t.Fatal(err)
		}
		reread, err := parseLine(again)
		if diff := cmp.Diff(r, reread); diff != "" || err != nil {
			t.Errorf("%s became %s, %v:\n%s", text, again, err, diff)
		}
	})
}
