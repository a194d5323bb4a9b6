package sqlengines

import (
	"database/sql"
	"testing"

	"github.com/devicetokens/devicetokens/sqlstore"
)

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
