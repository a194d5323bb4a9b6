package bench

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/internal/sqlengines"
	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	users        = 5_000 // each with two devices
	plainColumns = "user_id TEXT NOT NULL, device_id TEXT NOT NULL, token TEXT NOT NULL, platform TEXT NOT NULL, project_id TEXT NOT NULL, updated_at BIGINT NOT NULL, PRIMARY KEY (user_id, device_id)"
	plainUpsert  = `INSERT INTO TABLE_NAME_plain (user_id, device_id, token, platform, project_id, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (user_id, device_id) DO UPDATE SET token = excluded.token, platform = excluded.platform, project_id = excluded.project_id, updated_at = excluded.updated_at`
	plainList = `SELECT device_id, token, platform, project_id, updated_at FROM TABLE_NAME_plain WHERE user_id = $1 ORDER BY device_id`
)

type measured struct {
	register func(context.Context, tokens.Request) error
	list     func(context.Context, tokens.UserID) (devices int, err error)
}

// plain returns an upsert by user and device, which leaves a token with its previous user, and has no device limit and
// no expiry. On SQLite it makes one write at a time, as sqlstore does: without the mutex it waits for the lock by
// polling, and several callers are ten times slower.
func plain(d *sqlengines.Database, db *sql.DB, oneWriter bool) measured {
	upsert, selection := d.Named(plainUpsert), d.Named(plainList)
	var writing sync.Mutex
	return measured{
		register: func(ctx context.Context, r tokens.Request) error {
			if oneWriter {
				writing.Lock()
				defer writing.Unlock()
			}
			_, err := db.ExecContext(ctx, upsert, string(r.Key.UserID), string(r.Key.DeviceID), r.Token.Reveal(), string(r.Platform), string(r.ProjectID), time.Now().UnixMilli())
			return err
		},
		list: func(ctx context.Context, user tokens.UserID) (devices int, err error) {
			rows, err := db.QueryContext(ctx, selection, string(user))
			if err != nil {
				return 0, err
			}
			defer rows.Close()
			for ; rows.Next(); devices++ {
				var device, token, platform, project string
				var updated int64
				if err := rows.Scan(&device, &token, &platform, &project, &updated); err != nil {
					return 0, err
				}
			}
			return devices, rows.Err()
		},
	}
}

func ours(s *sqlstore.Store) measured {
	return measured{
		register: func(ctx context.Context, r tokens.Request) error { _, err := s.Register(ctx, r); return err },
		list: func(ctx context.Context, user tokens.UserID) (int, error) {
			regs, err := s.List(ctx, user)
			return len(regs), err
		},
	}
}

// stored returns the request of a device of the n-th call, which is far from that of the last call.
func stored(n int) tokens.Request {
	n = n * 7_919 % (2 * users)
	return request(n/2, n, n)
}

// callers make calls at once.
const callers = 8

// BenchmarkSQL measures each call on a PostgreSQL and a file of SQLite that wait for the disk.
func BenchmarkSQL(b *testing.B) {
	var fresh atomic.Int64 // users and tokens that are new
	operations := []struct {
		name string
		call func(ctx context.Context, m measured, n int) error
	}{
		{"refresh", func(ctx context.Context, m measured, n int) error { return m.register(ctx, stored(n)) }},
		{"list", func(ctx context.Context, m measured, n int) error {
			devices, err := m.list(ctx, stored(n).Key.UserID)
			if err == nil && devices != 2 {
				err = fmt.Errorf("%d devices", devices)
			}
			return err
		}},
		{"new", func(ctx context.Context, m measured, _ int) error {
			n := int(fresh.Add(1))
			return m.register(ctx, request(users+n, n, 2*users+n))
		}},
		{"move", func(ctx context.Context, m measured, n int) error { // tokens of the users go to others who are new
			r := stored(n)
			r.Key.UserID = userID(users + int(fresh.Add(1)))
			return m.register(ctx, r)
		}},
	}
	for _, engine := range []string{"Postgres", "SQLite"} {
		b.Run(engine, func(b *testing.B) {
			var d *sqlengines.Database
			if engine == "Postgres" {
				server := sqlengines.NewServer(b)
				server.Start()
				d = sqlengines.PostgresAt(b, server.URL)
			} else {
				d = sqlengines.SQLite(b)
			}
			db := d.Open(b, sqlengines.Options{})
			s := d.NewStore(b, sqlstore.Options{})
			d.Exec(b, db, "CREATE TABLE TABLE_NAME_plain ("+plainColumns+")")
			impls := map[string]measured{"upsert": plain(d, db, engine == "SQLite"), "sqlstore": ours(s)}
			for _, m := range impls {
				fill(b, m)
			}
			for _, op := range operations {
				for _, impl := range []string{"upsert", "sqlstore"} {
					b.Run(op.name+"/impl="+impl, func(b *testing.B) {
						measure(b, func(n int) error { return op.call(b.Context(), impls[impl], n) })
					})
				}
			}
		})
	}
}

func fill(b *testing.B, m measured) {
	together(b, 2*users, func(n int) error { return m.register(b.Context(), request(n/2, n, n)) })
}

func measure(b *testing.B, call func(n int) error) {
	b.ResetTimer()
	together(b, b.N, call)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// together makes the calls 0 to total-1.
func together(b *testing.B, total int, call func(n int) error) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < total; n = int(next.Add(1)) - 1 {
				if err := call(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
