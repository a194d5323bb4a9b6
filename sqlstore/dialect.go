package sqlstore

import (
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A Dialect is the kind of database: [Postgres] or [SQLite]. The zero value is
// invalid.
type Dialect struct {
	name   string
	schema string // creates the table
	// lock locks a user and a token until the transaction ends. Its arguments, if
	// it has any, are those of lockNumbers.
	lock string
	// forUpdate is the end of a SELECT that locks its rows, and skipLocked of one
	// that also omits rows that another transaction has locked.
	forUpdate, skipLocked string
	parameter             string // prefix of a parameter's number
	options               *sql.TxOptions
	// oneWriter means that the database has a single write lock. A store then
	// queues its writes, and a call waits for the lock.
	oneWriter bool
	kindOf    func(error) (k kind, code string)
}

// Postgres returns the dialect of PostgreSQL 13 and later. Errors are
// classified by SQLSTATE, which the method SQLState() string of the errors of pgx
// and lib/pq returns.
func Postgres() Dialect {
	return Dialect{
		name:       "Postgres",
		schema:     postgresSchema,
		lock:       `SELECT pg_advisory_xact_lock($1), pg_advisory_xact_lock($2)`,
		forUpdate:  ` FOR UPDATE`,
		skipLocked: ` FOR UPDATE SKIP LOCKED`,
		parameter:  "$",
		options:    &sql.TxOptions{Isolation: sql.LevelReadCommitted},
		kindOf:     postgresKind,
	}
}

// SQLite returns the dialect of SQLite 3.37 and later. code returns SQLite's result
// code of an error, primary or extended, and false if the error has none. If code is
// nil, the package calls the error's method Code() int, which modernc.org/sqlite
// has. For github.com/mattn/go-sqlite3:
//
//	func(err error) (int, bool) {
//		var e sqlite3.Error
//		ok := errors.As(err, &e)
//		return int(e.ExtendedCode), ok
//	}
func SQLite(code func(error) (int, bool)) Dialect {
	if code == nil {
		code = codeOf
	}
	return Dialect{
		name:   "SQLite",
		schema: sqliteSchema,
		// It changes no row, but takes the write lock before the transaction
		// reads, so that it reads the latest rows.
		lock:      `DELETE FROM {table} WHERE user_id IS NULL`,
		parameter: "?",
		oneWriter: true,
		kindOf:    func(err error) (kind, string) { return sqliteKind(err, code) },
	}
}

const postgresSchema = `CREATE TABLE IF NOT EXISTS {table} (
    user_id       text COLLATE "C" NOT NULL,
    device_id     text COLLATE "C" NOT NULL,
    token_hash    bytea NOT NULL UNIQUE, -- SHA-256 of the token's identity
    token         text NOT NULL,         -- as the app spelled it
    platform      text NOT NULL,
    project_id    text NOT NULL,         -- '' if the app did not say
    status        text NOT NULL,
    registered_at bigint,                -- this and the others: milliseconds since 1970
    updated_at    bigint,
    expires_at    bigint NOT NULL,
    PRIMARY KEY (user_id, device_id)
) WITH (fillfactor = 85);
`

const sqliteSchema = `CREATE TABLE IF NOT EXISTS {table} (
    user_id       TEXT NOT NULL,
    device_id     TEXT NOT NULL,
    token_hash    BLOB NOT NULL UNIQUE, -- SHA-256 of the token's identity
    token         TEXT NOT NULL,        -- as the app spelled it
    platform      TEXT NOT NULL,
    project_id    TEXT NOT NULL,        -- '' if the app did not say
    status        TEXT NOT NULL,
    registered_at INTEGER,              -- this and the others: milliseconds since 1970
    updated_at    INTEGER,
    expires_at    INTEGER NOT NULL,
    PRIMARY KEY (user_id, device_id)
) STRICT, WITHOUT ROWID;
`

// DefaultTable is the default of [Options].Table.
const DefaultTable = "device_tokens"

// Schema returns the statement that creates the table and its index if they do not
// exist. It is for migration tools. table is as [Options].Table.
//
// Do not add an index on expires_at: on PostgreSQL each refresh would then update
// every index, because it could not be a heap-only update.
func (d Dialect) Schema(table string) (string, error) {
	if d.name == "" {
		return "", errors.New("sqlstore: the dialect is zero, use Postgres or SQLite")
	}
	quoted, err := quote(table)
	if err != nil {
		return "", err
	}
	return d.render(quoted)[d.schema], nil
}

// render returns the text of each statement by its template.
func (d Dialect) render(table string) map[string]string {
	replace := strings.NewReplacer("{table}", table, "{lock}", d.forUpdate, "{skip}", d.skipLocked, "$", d.parameter)
	texts := make(map[string]string)
	for _, template := range []string{
		d.schema, d.lock,
		refresh, contenders, write, deleteHolders, importContenders, importStatus,
		get, list, holder, inspect, segments, page + pageEnd, page + pageBeforeUser + pageEnd,
		deactivate, invalidate, deleteOne, deleteUser, rangeEnd, purge + purgeEnd, purge + purgeBeforeKey + purgeEnd,
	} {
		texts[template] = replace.Replace(template)
	}
	return texts
}

// A name has at most 63 characters, because PostgreSQL truncates longer ones.
var tableName = regexp.MustCompile(`^(?:[A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,62}$`)

// quote returns the name as an SQL identifier, and DefaultTable for "".
func quote(table string) (string, error) {
	if table == "" {
		table = DefaultTable
	}
	if !tableName.MatchString(table) {
		return "", fmt.Errorf("sqlstore: Options.Table is %q, want a name or schema.name of letters, digits and underscores, each at most 63 characters", table)
	}
	return `"` + strings.ReplaceAll(table, ".", `"."`) + `"`, nil
}
