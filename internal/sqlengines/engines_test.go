package sqlengines

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// TestHook: a hook sees each statement, and may change it or fail it before or after it is executed. Two pools see one
// table, which no other database has.
func TestHook(t *testing.T) {
	errBefore, errAfter := errors.New("before"), errors.New("after")
	for _, e := range Engines {
		t.Run(e.Name, func(t *testing.T) {
			var seen []string
			d, other := e.Open(t), e.Open(t)
			other.Exec(t, other.Open(t, Options{}), "CREATE TABLE TABLE_NAME (v TEXT)")
			db := d.Open(t, Options{Hook: func(ctx context.Context, text string, send Send) error {
				seen = append(seen, text)
				switch text {
				case "before":
					return errBefore
				case "after":
					return errors.Join(send(ctx, d.Named("INSERT INTO TABLE_NAME VALUES ('after') RETURNING v")), errAfter)
				case "changed":
					return send(ctx, d.Named("INSERT INTO TABLE_NAME VALUES ('changed')"))
				}
				return send(ctx, text)
			}})
			d.Exec(t, db, "CREATE TABLE TABLE_NAME (v TEXT)")
			d.Exec(t, db, "changed")
			if _, err := db.ExecContext(t.Context(), "before"); !errors.Is(err, errBefore) {
				t.Errorf("got %v, want the hook's error", err)
			}
			var v string
			if err := db.QueryRowContext(t.Context(), "after").Scan(&v); !errors.Is(err, errAfter) {
				t.Errorf("got %v, want the hook's error", err)
			}
			for _, commit := range []bool{true, false} {
				tx, err := db.BeginTx(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tx.ExecContext(t.Context(), d.Named("INSERT INTO TABLE_NAME VALUES ('in a transaction')")); err != nil {
					t.Fatal(err)
				}
				end := tx.Rollback
				if commit {
					end = tx.Commit
				}
				if err := end(); err != nil {
					t.Error(err)
				}
			}
			if diff := cmp.Diff([]string{"after", "changed", "in a transaction"}, texts(t, d)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"changed", "before", "after", "BEGIN", "COMMIT", "BEGIN", "ROLLBACK"},
				slices.DeleteFunc(seen, func(s string) bool { return len(s) > len("ROLLBACK") })); diff != "" {
				t.Errorf("seen (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWire checks each fate of a request, and the count of round trips.
func TestWire(t *testing.T) {
	for name, tt := range map[string]struct {
		fate Fate
		want []string // the stored values; CutDuring promises nothing
	}{
		"pass": {Pass, []string{"a"}}, "before": {CutBefore, nil}, "after": {CutAfter, []string{"a"}}, "during": {CutDuring, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := Postgres(t)
			d.Exec(t, d.Open(t, Options{}), "CREATE TABLE TABLE_NAME (v TEXT)")
			var fate Fate
			w := &Wire{Cut: func([]byte) Fate { return fate }}
			db := d.Open(t, Options{Config: w.Through})
			for i, want := range []int{2, 3, 4} { // the first prepares the statement
				if _, err := db.ExecContext(t.Context(), d.Named("DELETE FROM TABLE_NAME WHERE v = $1"), "b"); err != nil {
					t.Fatal(err)
				}
				if got := w.Requests(); got != want {
					t.Errorf("%d round trips after %d statements, want %d", got, i+1, want)
				}
			}
			fate = tt.fate
			_, err := db.ExecContext(t.Context(), d.Named("INSERT INTO TABLE_NAME VALUES ('a')"))
			if (err == nil) != (tt.fate == Pass) {
				t.Errorf("got error %v", err)
			}
			if diff := cmp.Diff(tt.want, texts(t, d)); diff != "" && tt.fate != CutDuring {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// texts returns the column v of the table, in order.
func texts(t *testing.T, d *Database) (all []string) {
	t.Helper()
	w := &world{TB: t, Database: d, db: d.Open(t, Options{})}
	w.each("SELECT v FROM TABLE_NAME ORDER BY v", func(scan func(...any) error) error {
		var v string
		err := scan(&v)
		all = append(all, v)
		return err
	})
	return all
}
