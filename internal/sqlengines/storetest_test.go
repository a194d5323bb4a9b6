package sqlengines

import (
	"context"
	"flag"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/store/storetest"
	"github.com/devicetokens/devicetokens/tokens"
)

var long = flag.Bool("long", false, "give the races of the suite more time")

// TestStore runs the suite of every store, without an exception. It also fails if an error or an event contains a token or
// a user id.
func TestStore(t *testing.T) {
	for _, e := range Engines {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			e.Open(t) // skips here without an engine, and not in each check
			storetest.Run(t, backend(e.Open, nil))
		})
	}
}

// backend returns a backend with the hook, if any, between each of its stores and the database.
func backend(open func(testing.TB) *Database, hook Hook) storetest.Backend {
	var databases sync.Map // by store
	handle := func(t testing.TB, d *Database, p store.Policy) store.Store {
		t.Helper()
		var trace leak.Trace
		inner := d.Store(t, d.Open(t, Options{Hook: hook}), sqlstore.Options{Policy: p, Observe: dynamotest.Discreet(t, &trace)})
		if err := inner.CreateTable(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := leak.Store(t, inner, &trace)
		databases.Store(s, d)
		return s
	}
	of := func(s store.Store) *Database {
		d, _ := databases.Load(s)
		return d.(*Database)
	}
	return storetest.Backend{
		Long: *long,
		New: func(t testing.TB, p store.Policy) store.Store {
			return handle(t, open(t), p)
		},
		Again:     func(t testing.TB, s store.Store, p store.Policy) store.Store { return handle(t, of(s), p) },
		Inspector: true, Importer: true,
		Walker: func(t testing.TB, s store.Store) store.Walker { return of(s).NewStore(t, sqlstore.Options{}) },
		Corrupt: func(t testing.TB, s store.Store, key tokens.Key) {
			d := of(s)
			d.Exec(t, d.Open(t, Options{}), "UPDATE TABLE_NAME SET platform = 'web' WHERE user_id = $1 AND device_id = $2",
				string(key.UserID), string(key.DeviceID))
		},
	}
}

// broken are stores on PostgreSQL whose statements are edited before they are sent.
var broken = []struct {
	name  string
	edit  *strings.Replacer
	check string // the check of storetest that must reject the store
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

// brokenStore is the variable with the name of the store that TestBrokenStore tests.
const brokenStore = "SQLENGINES_BROKEN"

// TestBroken checks that the suite rejects each broken store.
func TestBroken(t *testing.T) {
	database := ownDatabase(t) // where deadlocks do not count
	for _, b := range broken {
		t.Run(b.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestBrokenStore$/^"+strings.ReplaceAll(b.check, "/", "$/^")+"$", "-test.v",
				"-test.count=20", "-test.failfast") // two calls at once do not always meet
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
			storetest.Run(t, backend(Postgres, func(ctx context.Context, text string, send Send) error {
				return send(ctx, b.edit.Replace(text))
			}))
		}
	}
}

// ownDatabase returns the URL of a database that is dropped after the test.
func ownDatabase(t *testing.T) string {
	t.Helper()
	of, err := url.Parse(PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	d := Postgres(t)
	db := d.Open(t, Options{})
	d.Exec(t, db, "CREATE DATABASE TABLE_NAME")
	t.Cleanup(func() { d.Exec(t, db, "DROP DATABASE TABLE_NAME WITH (FORCE)") })
	of.Path = d.Table
	return of.String()
}

// TestWholeWithoutDeadlock checks that no call of the other tests made PostgreSQL end a deadlock. It is the last test of the
// last file, because go test runs them in that order.
func TestWholeWithoutDeadlock(t *testing.T) {
	const query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
	var n int
	if err := Postgres(t).Open(t, Options{}).QueryRowContext(t.Context(), query).Scan(&n); err != nil || n > 0 {
		t.Errorf("%d deadlocks since the statistics of the database began, error %v", n, err)
	}
}
