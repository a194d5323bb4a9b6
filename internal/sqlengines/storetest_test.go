package sqlengines

import (
	"context"
	"flag"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/store/storetest"
	"github.com/devicetokens/devicetokens/tokens"
)

var long = flag.Bool("long", false, "give the races of the suite more time")

// TestStore has the suite that every store passes, without an exception. What errors and events say is looked through for
// tokens and user ids.
func TestStore(t *testing.T) {
	for _, e := range Engines {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			e.Open(t) // skips here without an engine, and not in each check
			storetest.Run(t, backend(e.Open, nil))
		})
	}
}

func BenchmarkStore(b *testing.B) {
	for _, e := range Engines {
		b.Run(e.Name, func(b *testing.B) { storetest.Bench(b, backend(e.Open, nil)) })
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

// TestWholeWithoutDeadlock has to be the last test of the last file, by which go test orders them: none of its calls, at once and
// in any order, made Postgres end a deadlock.
func TestWholeWithoutDeadlock(t *testing.T) {
	if n := deadlocks(t, PostgresURL(t)); n > 0 {
		t.Errorf("%d deadlocks since the statistics of the database began", n)
	}
}

func deadlocks(t *testing.T, url string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if err := conn.QueryRow(t.Context(), "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
