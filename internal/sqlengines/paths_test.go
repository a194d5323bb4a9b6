package sqlengines

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

var (
	noon   = time.Date(2051, time.March, 4, 12, 0, 0, 0, time.UTC)
	phone  = request("alice", "phone", 1)
	tablet = request("alice", "tablet", 2)
	taken  = request("bobby", "phone", 1) // with the token of alice's phone
)

func request(user tokens.UserID, device tokens.DeviceID, token int) tokens.Request {
	return tokens.Request{Key: tokens.Key{UserID: user, DeviceID: device}, Token: madeUp(token), Platform: tokens.IOS}
}

func madeUp(n int) tokens.Token {
	return tokens.MustParseToken(fmt.Sprintf("ExponentPushToken[engines-%d]", n))
}

// stored returns a registration of an hour before noon, changed.
func stored(req tokens.Request, change func(r *tokens.Registration)) tokens.Registration {
	at := noon.Add(-time.Hour)
	r := tokens.Registration{
		Key: req.Key, Token: req.Token, Platform: req.Platform, Status: tokens.Active,
		RegisteredAt: at, UpdatedAt: at, ExpiresAt: noon.Add(24 * time.Hour),
	}
	if change != nil {
		change(&r)
	}
	return r
}

// A path is a call of a store that holds phone and tablet, or the given registrations.
type path struct {
	name  string
	cost  string // the line of sqlstore/doc.go with its statements
	given []tokens.Registration
	call  call
	reads bool // is no write for any stored rows
}

type call = func(context.Context, *sqlstore.Store) error

const (
	costReads      = "Get, List, Holder, Inspect"
	costTransacted = "Register, anything else"
	costRemoves    = "which removes registrations"
)

var paths = []path{
	{name: "refresh", cost: "Register, refresh", call: with((*sqlstore.Store).Register, phone)},
	{name: "log in again", cost: "Register, refresh", call: with((*sqlstore.Store).Register, phone), given: []tokens.Registration{loggedOut}},
	{name: "new", cost: costTransacted, call: with((*sqlstore.Store).Register, request("alice", "watch", 3))},
	{name: "replace", cost: costTransacted, call: with((*sqlstore.Store).Register, request("alice", "phone", 3))},
	{name: "move", cost: costRemoves, call: with((*sqlstore.Store).Register, taken)},
	{name: "swap", cost: costRemoves, call: with((*sqlstore.Store).Register, request("alice", "phone", 2))},
	{name: "evict", cost: costRemoves, call: with((*sqlstore.Store).Register, request("carol", "watch", 9)), given: []tokens.Registration{
		stored(request("carol", "a", 4), nil), stored(request("carol", "b", 5), nil), stored(request("carol", "c", 6), nil), stored(request("other", "c", 9), nil),
	}},
	{name: "get", cost: costReads, reads: true, call: with((*sqlstore.Store).Get, phone.Key)},
	{name: "list", cost: costReads, reads: true, call: with((*sqlstore.Store).List, phone.Key.UserID)},
	{name: "holder", cost: costReads, reads: true, call: with((*sqlstore.Store).Holder, phone.Token.Hash())},
	{name: "inspect", cost: costReads, reads: true, call: with((*sqlstore.Store).Inspect, phone.Key.UserID)},
	{name: "deactivate", cost: "Deactivate, Invalidate", call: removal((*sqlstore.Store).Deactivate, phone.Key)},
	{name: "invalidate", cost: "Deactivate, Invalidate", call: func(ctx context.Context, s *sqlstore.Store) error {
		return s.Invalidate(ctx, phone.Key, phone.Token.Hash(), noon)
	}},
	{name: "delete", cost: "Delete, DeleteUser", call: removal((*sqlstore.Store).Delete, phone.Key)},
	{name: "delete user", cost: "Delete, DeleteUser", call: removal((*sqlstore.Store).DeleteUser, phone.Key.UserID)},
	{name: "page", cost: "Page, Segments", reads: true, call: func(ctx context.Context, s *sqlstore.Store) error {
		_, _, err := s.Page(ctx, "", 10)
		return err
	}},
	{name: "segments", cost: "Page, Segments", reads: true, call: with((*sqlstore.Store).Segments, 2)},
	{name: "import", cost: "Import", call: importing(stored(request("carol", "phone", 7), nil), store.Imported)},
	{name: "import a status", cost: "which changes the status", call: importing(loggedOut, store.ImportedStatus)},
	{name: "import a moved token", cost: "which removes the holder", call: importing(stored(taken, func(r *tokens.Registration) { r.UpdatedAt = noon }), store.Imported)},
	{name: "import again", cost: "which changes nothing", call: importing(stored(phone, nil), store.ImportKept)},
	{name: "purge", cost: "Purge, each 1,000 rows", call: with((*sqlstore.Store).Purge, store.ClockSkew), given: []tokens.Registration{
		stored(phone, nil), stored(tablet, func(r *tokens.Registration) { r.ExpiresAt = noon.Add(-time.Hour) }),
	}},
}

var loggedOut = stored(phone, func(r *tokens.Registration) { r.Status = tokens.LoggedOut })

// with calls a method with an argument.
func with[A, R any](method func(*sqlstore.Store, context.Context, A) (R, error), arg A) call {
	return func(ctx context.Context, s *sqlstore.Store) error {
		_, err := method(s, ctx, arg)
		return err
	}
}

func removal[A any](method func(*sqlstore.Store, context.Context, A) error, arg A) call {
	return func(ctx context.Context, s *sqlstore.Store) error { return method(s, ctx, arg) }
}

func importing(r tokens.Registration, want store.ImportOutcome) call {
	return func(ctx context.Context, s *sqlstore.Store) error {
		outcome, err := s.Import(ctx, r)
		if err == nil && outcome != want && outcome != store.ImportKept { // the outcome of a repeat
			return errors.New("the outcome is " + string(outcome))
		}
		return err
	}
}

func named(name string) path {
	return paths[slices.IndexFunc(paths, func(p path) bool { return p.name == name })]
}

// policy has the limit that the path "evict" reaches.
var policy = store.Policy{MaxDevices: 3, Now: func() time.Time { return noon }}

// A world is a database for paths, with a pool that no test disturbs.
type world struct {
	testing.TB
	*Database
	db    *sql.DB
	clean *sqlstore.Store
}

func newWorld(t testing.TB, open func(testing.TB) *Database) *world {
	t.Helper()
	w := &world{TB: t, Database: open(t)}
	w.db = w.Database.Open(t, Options{})
	w.clean = w.Store(t, w.db, sqlstore.Options{Policy: policy})
	if err := w.clean.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// through returns a store on the world's table through a pool of its own.
func (w *world) through(o Options) *sqlstore.Store {
	w.Helper()
	return w.Store(w.TB, w.Database.Open(w.TB, o), sqlstore.Options{Policy: policy})
}

// give makes the table hold the rows with which the path begins. Import would refuse expired ones.
func (w *world) give(p path) {
	w.Helper()
	given := p.given
	if given == nil {
		given = []tokens.Registration{stored(phone, nil), stored(tablet, nil)}
	}
	w.Exec(w.TB, w.db, "DELETE FROM TABLE_NAME")
	for _, r := range given {
		hash := r.Token.Hash()
		w.Exec(w.TB, w.db, `INSERT INTO TABLE_NAME (user_id, device_id, token_hash, token, platform, project_id, status, registered_at, updated_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, string(r.Key.UserID), string(r.Key.DeviceID), hash[:], r.Token.Reveal(), string(r.Platform),
			string(r.ProjectID), string(r.Status), r.RegisteredAt.UnixMilli(), r.UpdatedAt.UnixMilli(), r.ExpiresAt.UnixMilli())
	}
}

func (w *world) rows() []store.Record {
	w.Helper()
	records, next, err := w.clean.Page(context.WithoutCancel(w.Context()), "", 100)
	if err != nil || next != "" {
		w.Fatalf("page: more %t, error %v", next != "", err)
	}
	return records
}

func (w *world) outcome(p path) (before, after []store.Record) {
	w.Helper()
	w.give(p)
	before = w.rows()
	if err := p.call(w.Context(), w.clean); err != nil {
		w.Fatal(err)
	}
	return before, w.rows()
}

// discreet fails if the error, printed with any verb, shows a token or a user id of the paths.
func (w *world) discreet(err error) {
	w.Helper()
	var trace leak.Trace
	for n := range 10 {
		trace.Add(leak.Identity(madeUp(n)))
	}
	trace.Add("alice", "bobby", "carol", "engines-")
	if what := trace.Find(leak.Printed(err)); what != "" {
		w.Errorf("the error shows %s", what)
	}
}

// TestPurge: rows 0, 1 and 2 of each three expired now, an hour ago and two hours ago.
func TestPurge(t *testing.T) {
	for _, e := range Engines {
		t.Run(e.Name, func(t *testing.T) {
			w := newWorld(t, e.Open)
			binary := map[string]string{"Postgres": "bytea", "SQLite": "BLOB"}[e.Name]
			w.Exec(t, w.db, `WITH RECURSIVE numbers(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < 2499)
INSERT INTO TABLE_NAME (user_id, device_id, token_hash, token, platform, project_id, status, expires_at)
SELECT 'user', 'device-' || i, CAST(CAST(i AS text) AS `+binary+`), '', 'ios', '', 'active', CAST($1 AS bigint) - i % 3 * 3600000 FROM numbers`, noon.UnixMilli())
			for _, tt := range []struct {
				keep time.Duration
				want int64
			}{{90 * time.Minute, 833}, {store.ClockSkew, 833}, {store.ClockSkew, 0}} {
				if got, err := w.clean.Purge(t.Context(), tt.keep); got != tt.want || err != nil {
					t.Errorf("keep %s: got %d, error %v; want %d", tt.keep, got, err, tt.want)
				}
			}
			var left int
			w.each("SELECT count(*) FROM TABLE_NAME", func(scan func(...any) error) error { return scan(&left) })
			if left != 834 {
				t.Errorf("%d rows are left, want 834", left)
			}
			if _, err := w.clean.Purge(t.Context(), store.ClockSkew-1); err == nil {
				t.Error("no error for a keep below the clock skew")
			}
		})
	}
}

// TestCosts compares the statements and the round trips of each path with the table in the documentation of sqlstore.
func TestCosts(t *testing.T) {
	documented := documentedCosts(t)
	for _, e := range Engines {
		t.Run(e.Name, func(t *testing.T) {
			w := newWorld(t, e.Open)
			var sent []string
			wire := &Wire{}
			o := Options{Hook: func(ctx context.Context, text string, send Send) error {
				sent = append(sent, kind(text))
				return send(ctx, text)
			}}
			if e.Name == "Postgres" {
				o.Config = wire.Through
			}
			s := w.through(o)
			for _, p := range paths {
				t.Run(p.name, func(t *testing.T) {
					var before int
					for range 2 { // the driver prepares each statement once
						w.give(p)
						before = wire.Requests()
						sent = nil
						if err := p.call(t.Context(), s); err != nil {
							t.Fatal(err)
						}
					}
					want, ok := documented[p.cost]
					if got := strings.Join(sent, ", "); got != want || !ok {
						t.Errorf("it sends %s; documented as %q is %s", got, p.cost, want)
					}
					if trips := wire.Requests() - before; o.Config != nil && trips != len(sent) {
						t.Errorf("%d round trips for %d statements", trips, len(sent))
					}
				})
			}
		})
	}
}

// documentedCosts returns the statements by the first column of the table.
func documentedCosts(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../sqlstore/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	costs := make(map[string]string)
	line := regexp.MustCompile(`(?m)^//\t(.+?) +(\d+)  (.*)$`)
	for _, m := range line.FindAllStringSubmatch(string(text), -1) {
		costs[strings.TrimSpace(m[1])] = m[3]
		if n := strings.Count(m[3], ",") + 1; m[2] != strconv.Itoa(n) {
			t.Errorf("%q has the number %s and %d statements", m[1], m[2], n)
		}
	}
	if len(costs) < 5 {
		t.Fatalf("%d costs are documented", len(costs))
	}
	return costs
}

// kind is the first word of a statement, or lock.
func kind(text string) string {
	if strings.Contains(text, "pg_advisory_xact_lock") || strings.HasSuffix(text, "WHERE user_id IS NULL") {
		return "lock"
	}
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return strings.ToUpper(word)
}
