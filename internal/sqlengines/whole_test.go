package sqlengines

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestWholeWithoutDeadlock is the last test of the package, as the order of its files is: none of its calls, at once and
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
