package sqlengines

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/devicetokens/devicetokens/store/storetest"
)

// broken are stores on Postgres whose statements are edited on their way.
var broken = []struct {
	name  string
	edit  *strings.Replacer
	check string // the check of storetest that has to reject it
}{
	{"no row lock", strings.NewReplacer("ORDER BY user_id, device_id FOR UPDATE", "ORDER BY user_id, device_id"), "Pairs/TakeOverAndTakeOver"},
	{"no lock on user and token", strings.NewReplacer(lock, noLock), "Race/Limit"},
	{"no unique index and no lock", strings.NewReplacer(lock, noLock, "bytea NOT NULL UNIQUE", "bytea NOT NULL"), "Race/OneToken"},
	{"order of a language", strings.NewReplacer(`COLLATE "C"`, ""), "List/ByDeviceID"},
	{"refresh of any token", strings.NewReplacer("AND token_hash = $3 AND expires_at > $7 AND token IN ($4, $9, $10)", "AND $3::bytea IS NOT NULL AND expires_at > $7 AND $9 || $10 <> ''"), "Register/Replace"},
}

const (
	lock   = "SELECT pg_advisory_xact_lock($1), pg_advisory_xact_lock($2)"
	noLock = "SELECT $1::bigint, $2::bigint"
)

const brokenStore = "SQLENGINES_BROKEN" // environment: the name of the store that TestBrokenStore has

// TestBroken: the suite rejects each broken store.
func TestBroken(t *testing.T) {
	database := ownDatabase(t) // where deadlocks do not count
	for _, b := range broken {
		t.Run(b.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestBrokenStore$/^"+strings.ReplaceAll(b.check, "/", "$/^")+"$", "-test.v",
				"-test.count=5", "-test.failfast") // two calls at once do not always meet
			cmd.Env = append(os.Environ(), brokenStore+"="+b.name, "POSTGRES_URL="+database)
			output, err := cmd.CombinedOutput()
			failed := regexp.MustCompile(`--- FAIL: TestBrokenStore/(\S+/\S+)`).FindAllStringSubmatch(string(output), -1)
			if err == nil || len(failed) == 0 {
				t.Errorf("%s does not reject it", b.check)
			}
			for _, f := range failed {
				t.Log(f[1])
			}
		})
	}
}

// TestBrokenStore is run by TestBroken, in a process of its own.
func TestBrokenStore(t *testing.T) {
	name := os.Getenv(brokenStore)
	for _, b := range broken {
		if b.name == name {
			storetest.Run(t, backend(Postgres, func(ctx context.Context, text string, send func(context.Context, string) error) error {
				return send(ctx, b.edit.Replace(text))
			}))
		}
	}
}

// ownDatabase returns the URL of a database that is dropped after the test.
func ownDatabase(t *testing.T) string {
	t.Helper()
	config, err := pgx.ParseConfig(PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	name := newTable()
	execute := func(statement string) {
		ctx := context.WithoutCancel(t.Context())
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(ctx) }()
		if _, err := conn.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	execute("CREATE DATABASE " + name)
	t.Cleanup(func() { execute("DROP DATABASE " + name + " WITH (FORCE)") })
	of, err := url.Parse(PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	of.Path = name
	return of.String()
}
