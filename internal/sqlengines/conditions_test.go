package sqlengines

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"modernc.org/sqlite"

	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/store"
)

// TestSettings: the server orders texts as a language does by default, and SQLite's file has the settings of its data
// source name.
func TestSettings(t *testing.T) {
	for _, tt := range []struct {
		name, query, want string
		open              func(testing.TB) *Database
	}{
		{"order", "SELECT string_agg(v, '' ORDER BY v) FROM (VALUES ('a'), ('B'), ('c')) AS t(v)", "aBc", Postgres},
		{"encoding", "SHOW server_encoding", "UTF8", Postgres},
		{"journal", "PRAGMA journal_mode", "wal", SQLite},
		{"synchronous", "PRAGMA synchronous", "2", SQLite},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			if err := tt.open(t).Open(t, Options{}).QueryRowContext(t.Context(), tt.query).Scan(&got); err != nil || got != tt.want {
				t.Errorf("got %q, error %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestPostgresConditions(t *testing.T) {
	runtime := func(name, value string) func(*pgx.ConnConfig) {
		return func(c *pgx.ConnConfig) { c.RuntimeParams[name] = value }
	}
	ctx := t.Context()
	for _, tt := range []struct {
		name      string
		config    func(*pgx.ConnConfig)
		statement string // makes the condition
		condition func(*world)
		call      string // the name of a path; "" is refresh
		want      error  // nil: the call succeeds
		code      string
	}{
		{name: "no table", want: store.ErrMisconfigured, code: "42P01", statement: "DROP TABLE TABLE_NAME"},
		{name: "no column", want: store.ErrMisconfigured, code: "42703", statement: "ALTER TABLE TABLE_NAME DROP COLUMN project_id"},
		{name: "no unique index", call: "move", want: store.ErrMisconfigured, code: "42P10", statement: "ALTER TABLE TABLE_NAME DROP CONSTRAINT TABLE_NAME_pkey"},
		{name: "a column of another type", want: store.ErrMisconfigured, code: "42883", statement: "ALTER TABLE TABLE_NAME ALTER COLUMN token_hash TYPE text USING encode(token_hash, 'hex')"},
		{name: "a column more, while the statement is prepared", call: "get", statement: "ALTER TABLE TABLE_NAME ADD COLUMN note text, ALTER COLUMN platform TYPE varchar(20)"},
		{name: "no permission", config: func(c *pgx.ConnConfig) { c.User = "reader" }, want: store.ErrMisconfigured, code: "42501"},
		{name: "no such user", config: func(c *pgx.ConnConfig) { c.User = "nobody_" + strings.ToLower(rand.Text()) }, want: store.ErrMisconfigured, code: "28000"},
		{name: "no such database", config: func(c *pgx.ConnConfig) { c.Database = "none" }, want: store.ErrMisconfigured, code: "3D000"},
		{name: "no server", config: func(c *pgx.ConnConfig) { c.Port = 1 }, want: store.ErrTryAgain},
		{name: "no such host", config: func(c *pgx.ConnConfig) { c.Host = "postgres.invalid" }, want: store.ErrMisconfigured},
		{name: "read only", config: runtime("default_transaction_read_only", "on"), want: store.ErrTryAgain, code: "25006"},
		{name: "no connection left", config: func(c *pgx.ConnConfig) { c.User = "limited" }, want: store.ErrTryAgain, code: "53300"},
		{name: "lock_timeout", config: runtime("lock_timeout", "50ms"), want: store.ErrTryAgain, code: "55P03", condition: locked},
		{name: "statement_timeout", config: runtime("statement_timeout", "50ms"), want: store.ErrTryAgain, code: "57014", condition: locked},
		{name: "serializable by default", config: runtime("default_transaction_isolation", "serializable"), call: "move"},
		{name: "a connection ended by the administrator", want: store.ErrTryAgain, code: "57P01",
			config: func(c *pgx.ConnConfig) { c.RuntimeParams["application_name"] = "ended" }, condition: func(w *world) {
				w.hold("SELECT FROM TABLE_NAME FOR UPDATE")
				go func() { // when the call waits for the lock
					for ended := int64(0); ended == 0 && ctx.Err() == nil; {
						result, err := w.db.ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'ended' AND wait_event_type = 'Lock' AND datname = current_database()`)
						if err != nil {
							w.Error(err)
							return
						}
						ended, _ = result.RowsAffected()
					}
				}()
			}},
		{name: "a value that the schema refuses", want: errFault, code: "23514", statement: "ALTER TABLE TABLE_NAME ADD CHECK (updated_at < 1) NOT VALID"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, Postgres)
			p := named(cmp.Or(tt.call, "refresh"))
			for role, options := range map[string]string{"reader": "", "limited": "CONNECTION LIMIT 0"} {
				w.role(role, options)
			}
			db := w.Database.Open(t, Options{Config: func(c *pgx.ConnConfig) {
				if tt.config != nil {
					tt.config(c)
					c.User = strings.NewReplacer("reader", w.Table+"_reader", "limited", w.Table+"_limited").Replace(c.User)
				}
			}})
			s := w.Store(t, db, sqlstore.Options{Policy: policy})
			w.give(p)
			if tt.config == nil { // the driver prepares the statements
				if err := p.call(ctx, s); err != nil {
					t.Fatal(err)
				}
				w.give(p)
			}
			if tt.statement != "" {
				w.Exec(t, w.db, tt.statement)
			}
			if tt.condition != nil {
				tt.condition(w)
			}
			w.wantError(p.call(ctx, s), tt.want, tt.code)
		})
	}
}

// errFault stands for an error that is neither ErrTryAgain nor ErrMisconfigured.
var errFault = errors.New("a fault")

func (w *world) wantError(err, want error, code string) {
	w.Helper()
	if (err == nil) != (want == nil) || errors.Is(err, store.ErrTryAgain) != (want == store.ErrTryAgain) ||
		errors.Is(err, store.ErrMisconfigured) != (want == store.ErrMisconfigured) {
		w.Errorf("got error %v, want %v", err, want)
	}
	if err == nil {
		return
	}
	var s *sqlstore.StatementError
	if !errors.As(err, &s) || s.Code != code {
		w.Errorf("got error %v, want code %q", err, code)
	}
	w.discreet(err)
}

// role creates a role without permissions. Its name begins with that of the table.
func (w *world) role(name, options string) {
	w.Exec(w, w.db, "CREATE ROLE TABLE_NAME_"+name+" LOGIN "+options)
	w.Cleanup(func() { w.Exec(w, w.db, "DROP ROLE TABLE_NAME_"+name) })
}

func locked(w *world) { w.hold("SELECT FROM TABLE_NAME FOR UPDATE") }

// hold makes another transaction, which ends with the test, execute the statement.
func (w *world) hold(statement string) {
	tx, err := w.db.BeginTx(context.WithoutCancel(w.Context()), nil)
	if err == nil {
		_, err = tx.ExecContext(w.Context(), w.Named(statement))
	}
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = tx.Rollback() })
}

// TestDeadline checks that a call that waits for a lock ends with its context.
func TestDeadline(t *testing.T) {
	for _, e := range Engines {
		for _, p := range []path{named("refresh"), named("new"), named("delete user")} {
			t.Run(e.Name+"/"+p.name, func(t *testing.T) {
				w := newWorld(t, e.Open)
				w.give(p)
				w.hold("UPDATE TABLE_NAME SET status = 'inactive'") // on SQLite this is the lock of the database
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				began := time.Now()
				err := p.call(ctx, w.through(Options{}))
				if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, store.ErrTryAgain) {
					t.Errorf("got error %v", err)
				}
				if took := time.Since(began); took > 3*time.Second {
					t.Errorf("it took %s", took)
				}
				w.discreet(err)
			})
		}
	}
}

func TestSQLiteConditions(t *testing.T) {
	for _, tt := range []struct {
		name      string
		dsn       func(file string) string
		statement string // makes the condition
		want      error
		code      string
	}{
		{name: "no table", want: store.ErrMisconfigured, code: "1", statement: "DROP TABLE TABLE_NAME"},
		{name: "no column", want: store.ErrMisconfigured, code: "1", statement: "ALTER TABLE TABLE_NAME DROP COLUMN project_id"},
		{name: "read only", want: store.ErrMisconfigured, code: "8", dsn: func(file string) string {
			return "file:" + file + "?mode=ro"
		}},
		{name: "no folder", want: store.ErrMisconfigured, code: "14", dsn: func(file string) string { return SQLiteDSN(file + ".d/x") }},
		{name: "another file", want: store.ErrMisconfigured, code: "26", dsn: func(file string) string {
			other := file + ".txt"
			if err := os.WriteFile(other, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
			return "file:" + other
		}},
		{name: "a value that the schema refuses", want: errFault, code: "1811", statement: "CREATE TRIGGER TABLE_NAME_t BEFORE UPDATE ON TABLE_NAME BEGIN SELECT RAISE(ABORT, 'no'); END"},
		{name: "a column more", statement: "ALTER TABLE TABLE_NAME ADD COLUMN note TEXT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "tokens.db")
			w := newWorld(t, func(t testing.TB) *Database { return sqliteAt(SQLiteDSN(file)) })
			p := named("refresh")
			w.give(p)
			dsn := SQLiteDSN(file)
			if tt.dsn != nil {
				dsn = tt.dsn((&url.URL{Path: file}).EscapedPath())
			}
			c, err := sqlite.NewConnector(dsn)
			if err != nil {
				t.Fatal(err)
			}
			db := sql.OpenDB(c)
			defer db.Close()
			s := w.Store(t, db, sqlstore.Options{Policy: policy})
			if tt.dsn == nil {
				if err := p.call(t.Context(), s); err != nil {
					t.Fatal(err)
				}
			}
			if tt.statement != "" {
				w.Exec(t, w.db, tt.statement)
			}
			w.wantError(p.call(t.Context(), s), tt.want, tt.code)
		})
	}
}
