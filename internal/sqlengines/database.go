package sqlengines

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"modernc.org/sqlite"

	"github.com/devicetokens/devicetokens/sqlstore"
)

// A Database has the table of a test.
type Database struct {
	Dialect sqlstore.Dialect
	Table   string // a unique name; the test creates the table
	connect func(testing.TB, Options) driver.Connector
}

// Options configure the layers between a pool and the database.
type Options struct {
	Hook   Hook                    // nil for none
	Config func(c *pgx.ConnConfig) // changes how pgx connects; nil on SQLite
}

// Open opens another pool on the database, which is closed after the test.
func (d *Database) Open(t testing.TB, o Options) *sql.DB {
	t.Helper()
	connector := d.connect(t, o)
	if o.Hook != nil {
		connector = hooked{connector, o.Hook}
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(maxOpen)
	db.SetMaxIdleConns(maxOpen)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// maxOpen is the size of a pool that sqlstore advises for SQLite. Pools of several test binaries share a hundred
// connections of PostgreSQL.
const maxOpen = 8

// Exec executes a statement of the test itself, with TABLE_NAME in the place of the table's name.
func (d *Database) Exec(t testing.TB, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(context.WithoutCancel(t.Context()), d.Named(statement), args...); err != nil {
		t.Fatal(err)
	}
}

// Named returns the statement with the table's name in the place of TABLE_NAME.
func (d *Database) Named(statement string) string {
	return strings.ReplaceAll(statement, "TABLE_NAME", d.Table)
}

func newTable() string { return "test_" + strings.ToLower(rand.Text()) }

// Engines are both databases.
var Engines = []struct {
	Name string
	Open func(testing.TB) *Database
}{
	{"Postgres", Postgres},
	{"SQLite", SQLite},
}

// Store returns a store on the database through the pool. It does not create the table.
func (d *Database) Store(t testing.TB, db *sql.DB, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	o.Table = d.Table
	s, err := sqlstore.New(db, d.Dialect, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// NewStore returns a store on the database through a new pool. It creates the table unless it exists.
func (d *Database) NewStore(t testing.TB, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	s := d.Store(t, d.Open(t, Options{}), o)
	if err := s.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// SQLite returns a database in a file of the test.
func SQLite(t testing.TB) *Database {
	t.Helper()
	return sqliteAt(SQLiteDSN(filepath.Join(t.TempDir(), "tokens.db")))
}

func sqliteAt(dsn string) *Database {
	return &Database{Dialect: sqlstore.SQLite(nil), Table: newTable(), connect: func(t testing.TB, _ Options) driver.Connector {
		t.Helper()
		c, err := sqlite.NewConnector(dsn)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}}
}

// SQLiteDSN returns the data source name of a file with the settings that sqlstore advises.
func SQLiteDSN(file string) string {
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + url.Values{
		"_pragma": {"journal_mode(WAL)", "synchronous(FULL)"},
	}.Encode()
}
