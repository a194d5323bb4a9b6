package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/devicetokens/devicetokens/store"
)

// Options are the optional arguments of [New]. The zero value works.
type Options struct {
	// Table is the name of the table, or schema.table. Names have letters, digits
	// and underscores. They are quoted, so PostgreSQL distinguishes upper and lower
	// case. "" means [DefaultTable].
	Table string

	// Policy is the TTL, the device limit and the clock. Servers that share a
	// table should use the same TTL and limit.
	Policy store.Policy

	// Observe, if not nil, is called at the end of each call of a method that
	// [store.Operation] names, on the caller's goroutine. It must be safe for
	// concurrent use and should return quickly.
	Observe func(store.Event)
}

// A Store is a [store.Store] in one table of an SQL database. It is safe for
// concurrent use, also together with Stores in other processes. It uses none of the
// exceptions that [store.Store] allows: the device limit is exact, List is a
// snapshot, and Holder finds the registration while a token moves.
type Store struct {
	db      *sql.DB
	dialect Dialect
	table   string // quoted
	policy  store.Policy
	observe func(store.Event)
	writing chan struct{}     // full during a write; nil unless the dialect has one writer
	sql     map[string]string // the statements, by template
}

var _ interface {
	store.Store
	store.Inspector
	store.Walker
	store.Importer
} = (*Store)(nil)

// New returns a store in the table that [Dialect.Schema] creates. It sends no
// statement. If the table does not exist, the first call returns
// [store.ErrMisconfigured]. The caller closes db.
//
// The error names every invalid argument.
func New(db *sql.DB, d Dialect, opts Options) (*Store, error) {
	var errs []error
	if db == nil {
		errs = append(errs, errors.New("sqlstore: the database is nil"))
	}
	if d.name == "" {
		errs = append(errs, errors.New("sqlstore: the dialect is zero, use Postgres or SQLite"))
	}
	table, err := quote(opts.Table)
	errs = append(errs, err)
	policy, err := opts.Policy.WithDefaults()
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	s := &Store{db: db, dialect: d, table: table, policy: policy, observe: opts.Observe, sql: d.render(table)}
	if d.oneWriter {
		s.writing = make(chan struct{}, 1)
	}
	return s, nil
}

// CreateTable creates the table and its index if they do not exist. It is for local
// work and tests. For a migration tool, use the text of [Dialect.Schema].
func (s *Store) CreateTable(ctx context.Context) error {
	op := s.beginWrite("create table")
	return op.repeat(ctx, func() error {
		_, err := op.exec(ctx, s.db, s.sql[s.dialect.schema])
		return err
	})
}

// now returns the policy's time in UTC and whole milliseconds, as stored.
func (s *Store) now() time.Time {
	return s.policy.Now().UTC().Truncate(time.Millisecond)
}
