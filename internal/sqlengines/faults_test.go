package sqlengines

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/store"
)

// A fault happens once, at one statement.
type fault struct {
	name     string
	unsent   bool                              // the statement is not sent
	err      error                             // that the statement returns
	cancel   when                              // the context is canceled
	wire     Fate                              // of a request to PostgreSQL, instead of the above
	applied  bool                              // the statement is applied
	maybe    bool                              // the statement may be applied
	absorbed func(kinds []string, at int) bool // reports whether the store or the pool repeats the statement; nil if the driver decides
}

type when int

const (
	_ when = iota
	beforeSend
	afterSend
)

func always([]string, int) bool { return true }
func never([]string, int) bool  { return false }

var errInjected = errors.New("connection reset")

// coded is an error of either driver. Its text has a row, as theirs may.
type coded struct {
	state string
	code  int
}

func (c coded) Error() string    { return "Key (user_id)=(alice) and engines-1" }
func (c coded) SQLState() string { return c.state }
func (c coded) Code() int        { return c.code }

// faults are those of both engines. No commit is repeated unless the database has rejected it.
var faults = []fault{
	{name: "before", unsent: true, err: errInjected, absorbed: never},
	{name: "after", err: errInjected, applied: true, absorbed: never},
	// The pool takes another connection if no transaction has begun.
	{name: "bad connection", unsent: true, err: driver.ErrBadConn, absorbed: func(kinds []string, at int) bool { return !slices.Contains(kinds[:at], "BEGIN") }},
	{name: "conflict", unsent: true, err: coded{"40001", 5}, absorbed: always}, // serialization_failure, SQLITE_BUSY
	{name: "shutdown", unsent: true, err: coded{"57P01", 9}, absorbed: never},  // admin_shutdown, SQLITE_INTERRUPT
	{name: "canceled before", cancel: beforeSend, maybe: true},
	{name: "canceled after", cancel: afterSend, maybe: true},
}

// cuts are the faults of a connection to PostgreSQL.
var cuts = []fault{
	{name: "cut before", wire: CutBefore}, // pgx detects that it wrote nothing, and the pool takes another connection
	{name: "cut after", wire: CutAfter, applied: true, absorbed: never},
	{name: "cut during", wire: CutDuring, maybe: true, absorbed: never},
}

// TestFaults injects every fault at every statement of every path. Afterwards the table is as before the call or as after
// it, and as after it if the call succeeded. An error matches ErrTryAgain and contains no key and no token, and a repeat
// succeeds.
func TestFaults(t *testing.T) {
	var injected, returned atomic.Int64
	t.Run("paths", func(t *testing.T) {
		for _, e := range Engines {
			t.Run(e.Name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, e.Open)
				all := faults
				if e.Name == "Postgres" {
					all = append(all[:len(all):len(all)], cuts...)
				}
				var shared injector
				for _, p := range paths {
					before, after := w.outcome(p)
					kinds := w.kinds(p)
					for at := range kinds {
						for _, f := range all {
							t.Run(fmt.Sprintf("%s, statement %d, %s", p.name, at+1, f.name), func(t *testing.T) {
								own := *w
								own.TB = t
								i := &shared
								if f.cancel != 0 || f.wire != Pass {
									i = new(injector) // the connection may end a little later
									i.open(&own, f.wire != Pass)
								} else if shared.store == nil {
									shared.open(w, false)
								}
								injected.Add(1)
								if own.inject(i, p, kinds, at, f, before, after) != nil {
									returned.Add(1)
								}
							})
						}
					}
				}
			})
		}
	})
	t.Logf("%d faults: %d absorbed, %d returned to the caller", injected.Load(), injected.Load()-returned.Load(), returned.Load())
}

// TestConflicts: a call gives up after ten conflicts on PostgreSQL, and waits longer for the lock of SQLite.
func TestConflicts(t *testing.T) {
	for _, e := range Engines {
		t.Run(e.Name, func(t *testing.T) {
			w := newWorld(t, e.Open)
			tries := 0
			s := w.through(Options{Hook: func(ctx context.Context, text string, send Send) error {
				if tries++; tries <= 12 {
					return coded{"40001", 5}
				}
				return send(ctx, text)
			}})
			err := named("delete").call(t.Context(), s)
			if want := map[string]int{"Postgres": 10, "SQLite": 13}[e.Name]; tries != want || errors.Is(err, store.ErrTryAgain) != (want == 10) {
				t.Errorf("%d tries, error %v; want %d", tries, err, want)
			}
		})
	}
}

func (w *world) kinds(p path) []string {
	w.Helper()
	var all []string
	s := w.through(Options{Hook: func(ctx context.Context, text string, send Send) error {
		all = append(all, kind(text))
		return send(ctx, text)
	}})
	w.give(p)
	if err := p.call(w.Context(), s); err != nil {
		w.Fatal(err)
	}
	return all
}

// An injector is a store whose statements pass through a hook or a wire, which one fault after another uses.
type injector struct {
	store *sqlstore.Store
	hook  atomic.Pointer[Hook]
	cut   atomic.Pointer[func() Fate]
}

func (i *injector) open(w *world, cuts bool) {
	o := Options{Hook: func(ctx context.Context, text string, send Send) error {
		if hook := i.hook.Load(); hook != nil {
			return (*hook)(ctx, text, send)
		}
		return send(ctx, text)
	}}
	if cuts {
		wire := &Wire{Cut: func([]byte) Fate {
			if cut := i.cut.Load(); cut != nil {
				return (*cut)()
			}
			return Pass
		}}
		o.Config = func(c *pgx.ConnConfig) {
			c.RuntimeParams["application_name"] = w.Table
			wire.Through(c)
		}
	}
	i.store = w.through(o)
}

// inject makes the fault happen at a statement of a path, and returns the error of the call.
func (w *world) inject(i *injector, p path, kinds []string, at int, f fault, before, after []store.Record) error {
	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	w.give(p)
	var n, commits atomic.Int64
	happens := func() bool { return n.Add(1) == int64(at+1) }
	hook := Hook(func(ctx context.Context, text string, send Send) error {
		if text == "COMMIT" {
			commits.Add(1)
		}
		if f.wire != Pass || !happens() {
			return send(ctx, text)
		}
		if f.cancel == beforeSend {
			cancel()
		}
		var err error
		if !f.unsent {
			err = send(ctx, text)
		}
		if f.cancel == afterSend {
			cancel()
		}
		return errors.Join(err, f.err)
	})
	if f.wire != Pass {
		defer w.disconnect()
		if err := p.call(ctx, i.store); err != nil { // the driver prepares each statement first
			w.Fatal(err)
		}
		w.give(p)
		cut := func() Fate {
			if happens() {
				return f.wire
			}
			return Pass
		}
		i.cut.Store(&cut)
	}
	i.hook.Store(&hook)
	err := p.call(ctx, i.store)
	cancel()
	if n.Load() <= int64(at) {
		w.Error("the fault did not happen")
	}
	last := at == len(kinds)-1
	got := w.rows()
	want := before
	if err == nil || f.applied && last || f.maybe && last && cmp.Equal(after, got) {
		want = after
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("rows after error %v (-want +got):\n%s", err, diff)
	}
	if f.absorbed != nil && f.absorbed(kinds, at) != (err == nil) {
		w.Errorf("got error %v", err)
	}
	if commits.Load() > 1 && f.name != "conflict" {
		w.Errorf("%d commits", commits.Load())
	}
	if err != nil {
		w.tryAgain(err, f.cancel != 0, p.reads)
		if err := p.call(w.Context(), i.store); err != nil {
			w.Errorf("repeated: %v", err)
		}
		if diff := cmp.Diff(after, w.rows()); diff != "" {
			w.Errorf("rows after the repeat (-want +got):\n%s", diff)
		}
	}
	return err
}

// disconnect ends the server's part of the connections that were cut, so that it applies no statement during the test of
// the next fault.
func (w *world) disconnect() {
	w.Helper()
	for left := 1; left > 0; {
		err := w.db.QueryRowContext(w.Context(),
			`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1`, w.Table).Scan(&left)
		if err != nil {
			w.Fatalf("end the connections that were cut: %v", err)
		}
	}
}

// tryAgain fails unless the error matches ErrTryAgain, or the context's error if the context of a read ended.
func (w *world) tryAgain(err error, canceled, reads bool) {
	w.Helper()
	if canceled != errors.Is(err, context.Canceled) || canceled && reads == errors.Is(err, store.ErrTryAgain) || !canceled && !errors.Is(err, store.ErrTryAgain) {
		w.Errorf("got error %v", err)
	}
	var statement *sqlstore.StatementError
	if !errors.As(err, &statement) {
		w.Errorf("the error %v has no StatementError", err)
	}
	if strings.Contains(err.Error(), errInjected.Error()) {
		w.Errorf("the text of the error has the driver's: %v", err)
	}
	w.discreet(err)
}
