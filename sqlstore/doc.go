// Package sqlstore keeps registrations of push tokens in one table of PostgreSQL
// (13 or later) or SQLite (3.37 or later). It implements [store.Store],
// [store.Inspector], [store.Walker] and [store.Importer] on database/sql. It
// imports no driver: the caller opens the database.
//
//	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL")) // github.com/jackc/pgx/v5/stdlib
//	if err != nil { … }
//	s, err := sqlstore.New(db, sqlstore.Postgres(), sqlstore.Options{})
//
// # How a token stays with one registration
//
// A registration is one row. The primary key is (user_id, device_id), and a unique
// index on token_hash allows a token in one row only. The rest is done by
// locks, in Register:
//
//  1. A refresh is one UPDATE, which changes the row if it is live and has the
//     token. It is the usual case, and one round trip.
//  2. Otherwise a transaction locks the user and the token, reads and locks the
//     user's rows and the row that has the token, removes the previous holder and
//     the evicted, and writes the registration.
//
// On PostgreSQL the transaction runs at READ COMMITTED, whatever the default is.
// The user and the token are two advisory locks, which end with the transaction;
// the one with the smaller number is taken first. Rows are always locked in the
// order of their keys. So the calls of this package do not deadlock each other. On
// SQLite the transaction takes the database's write lock before it reads.
//
// # Costs
//
// Statements that each call sends, one after the other. Each is a round trip, and
// so are BEGIN and COMMIT. A driver may add one round trip when a connection
// meets a statement for the first time.
//
//	Register, refresh                1  UPDATE
//	Register, anything else          6  UPDATE, BEGIN, lock, SELECT, INSERT, COMMIT
//	  which removes registrations    7  one DELETE before the INSERT
//	Get, List, Holder, Inspect       1  SELECT
//	Deactivate, Invalidate           1  UPDATE
//	Delete, DeleteUser               1  DELETE
//	Page, Segments                   1  SELECT
//	Import                           5  BEGIN, lock, SELECT, INSERT, COMMIT
//	  which removes the holder       6  one DELETE before the INSERT
//	  which changes nothing          4  BEGIN, lock, SELECT, COMMIT
//
// # Rules that bind
//
//   - Every process that writes the table uses this package. A write by other
//     means takes no locks: the unique index still allows a token one row, but
//     the call that meets it is repeated or returns [store.ErrTryAgain].
//   - Read from the primary server. A replica is behind, and so are its answers.
//   - On PostgreSQL set a lock_timeout below the deadline of a request, so that
//     the server gives up a statement that the caller has given up already.
//   - A pooler in transaction mode, such as PgBouncer, works: the package keeps
//     nothing in a session. The driver must not either: with pgx, use the
//     default_query_exec_mode exec, cache_describe or simple_protocol.
//   - The statements have tokens as parameters. PostgreSQL logs parameters with
//     log_statement and log_min_duration_statement, unless log_parameter_max_length
//     is 0.
//   - On SQLite use write-ahead logging and synchronous=FULL, and a pool of about
//     eight connections. Within a process, a [Store] makes one write at a time.
//     Between processes, SQLite's lock decides, and a call waits up to five
//     seconds for it.
//   - Expired rows stay until [Store.Purge] removes them. Nothing depends on it.
//   - The table's comparison of texts is by bytes: COLLATE "C" on PostgreSQL, and
//     BINARY, the default, on SQLite.
package sqlstore
