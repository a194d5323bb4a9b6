package sqlengines

import (
	"database/sql/driver"
	"net/url"
	"path/filepath"
	"testing"

	"modernc.org/sqlite"

	"github.com/devicetokens/devicetokens/sqlstore"
)

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
		"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)"},
	}.Encode()
}
