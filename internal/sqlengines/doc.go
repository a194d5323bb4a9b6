// Package sqlengines connects tests to PostgreSQL and SQLite, and tests sqlstore on both.
//
// [Postgres] and [SQLite] give a test a [Database] with a table of its own. A [Hook] stands between a pool and the
// driver: it counts, changes, delays or fails each statement. A [Wire] stands between pgx and the server: it counts round
// trips and cuts connections.
package sqlengines
