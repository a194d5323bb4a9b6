// Package sqlstore keeps registrations of push tokens in one table of PostgreSQL
// (13 or later) or SQLite (3.37 or later). It implements [store.Store],
// [store.Inspector], [store.Walker] and [store.Importer] on database/sql. It
// imports no driver: the caller opens the database.
//
//	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL")) // github.com/jackc/pgx/v5/stdlib
//	if err != nil { … }
//	s, err := sqlstore.New(db, sqlstore.Postgres(), sqlstore.Options{})
//
// # How a token belongs to at most one registration
//
// A registration is one row. The primary key is (user_id, device_id). A unique
// index on token_hash prevents two rows with the same token. Register also uses
// locks:
//
//  1. A refresh is one UPDATE, which changes the row if it is live and has the
//     token. It is the usual case and takes one round trip.
//  2. Otherwise a transaction locks the user and the token, reads and locks the
//     user's rows and the row that has the token, removes the previous holder and
//     the evicted rows, and writes the registration.
//
// On PostgreSQL the transaction runs at READ COMMITTED, regardless of the
// database's default. The user and the token are locked by two advisory locks,
// which end with the transaction. Calls of this package do not deadlock each other,
// because each takes the advisory lock with the smaller number first, and locks
// rows in the order of their keys. On SQLite the transaction takes the
// database's write lock before it reads.
//
// # Costs
//
// The table lists the statements of each call, in order. Each statement is a round
// trip, including BEGIN and COMMIT. A driver may add a round
// trip when a connection prepares a statement for the first time, or to check a
// connection that was idle, as pgx does after a second.
//
//	Register, refresh                1  UPDATE
//	Register, anything else          6  UPDATE, BEGIN, lock, SELECT, INSERT, COMMIT
//	  which removes registrations    7  UPDATE, BEGIN, lock, SELECT, DELETE, INSERT, COMMIT
//	Get, List, Holder, Inspect       1  SELECT
//	Deactivate, Invalidate           1  UPDATE
//	Delete, DeleteUser               1  DELETE
//	Page, Segments                   1  SELECT
//	Import                           5  BEGIN, lock, SELECT, INSERT, COMMIT
//	  which removes the holder       6  BEGIN, lock, SELECT, DELETE, INSERT, COMMIT
//	  which changes the status       5  BEGIN, lock, SELECT, UPDATE, COMMIT
//	  which changes nothing          4  BEGIN, lock, SELECT, COMMIT
//	Purge, each 1,000 rows           2  SELECT, DELETE
//
// # Rules for callers
//
//   - Write the table only with this package. Other writes do not take its locks.
//     The unique index still prevents two rows with one token, but a call that
//     conflicts with such a write may return [store.ErrTryAgain].
//   - A call takes a connection from the pool of the *sql.DB. It cannot be part of a
//     transaction of yours.
//   - Read from the primary server too, because a replica may return old data.
//   - On PostgreSQL set lock_timeout below the deadline of a request, so that the
//     server cancels a statement whose caller no longer waits.
//   - A pooler in transaction mode, such as PgBouncer, works, because the package
//     keeps no state in a session. The driver must not keep any either: with pgx,
//     set default_query_exec_mode to exec or cache_describe, or to simple_protocol
//     with client_encoding=UTF8.
//   - Tokens are parameters of the statements. PostgreSQL logs parameters with
//     log_statement and log_min_duration_statement unless log_parameter_max_length
//     is 0.
//   - On SQLite use write-ahead logging, synchronous=FULL and a pool of about
//     eight connections. A [Store] makes one write at a time. Other processes and
//     Stores compete for SQLite's lock, and a call waits up to five seconds for it.
//   - Expired rows remain until [Store.Purge] removes them. Reads ignore them.
//   - The table compares texts by bytes: COLLATE "C" on PostgreSQL, and BINARY, the
//     default, on SQLite.
package sqlstore
