package bench

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/internal/sqlengines"
	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const (
	users        = 5_000 // each with two devices
	plainColumns = "user_id TEXT NOT NULL, device_id TEXT NOT NULL, token TEXT NOT NULL, platform TEXT NOT NULL, project_id TEXT NOT NULL, updated_at BIGINT NOT NULL, PRIMARY KEY (user_id, device_id)"
	plainUpsert  = `INSERT INTO TABLE_NAME_plain (user_id, device_id, token, platform, project_id, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (user_id, device_id) DO UPDATE SET token = excluded.token, platform = excluded.platform, project_id = excluded.project_id, updated_at = excluded.updated_at`
	plainList = `SELECT device_id, token, platform, project_id, updated_at FROM TABLE_NAME_plain WHERE user_id = $1 ORDER BY device_id`
)

// plain is an upsert by user and device, which leaves a token with its previous user, and has no device limit and no
// expiry. On SQLite it makes one write at a time, as sqlstore does: without the mutex it waits for the lock by polling,
// and several callers are ten times slower.
type plain struct {
	d       *sqlengines.Database
	db      *sql.DB
	writing *sync.Mutex // nil on PostgreSQL
}

func (p plain) Register(ctx context.Context, r tokens.Request) (store.Result, error) {
	if p.writing != nil {
		p.writing.Lock()
		defer p.writing.Unlock()
	}
	_, err := p.db.ExecContext(ctx, p.d.Named(plainUpsert), string(r.Key.UserID), string(r.Key.DeviceID), r.Token.Reveal(), string(r.Platform), string(r.ProjectID), time.Now().UnixMilli())
	return store.Result{}, err
}

func (p plain) List(ctx context.Context, user tokens.UserID) (regs []tokens.Registration, err error) {
	rows, err := p.db.QueryContext(ctx, p.d.Named(plainList), string(user))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r tokens.Registration
		var token string
		var updated int64
		if err := rows.Scan(&r.Key.DeviceID, &token, &r.Platform, &r.ProjectID, &updated); err != nil {
			return nil, err
		}
		regs = append(regs, r)
	}
	return regs, rows.Err()
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
		call func(ctx context.Context, s registrar, n int) error
	}{
		{"refresh", func(ctx context.Context, s registrar, n int) error { _, err := s.Register(ctx, stored(n)); return err }},
		{"list", func(ctx context.Context, s registrar, n int) error { return list(ctx, s, stored(n).Key.UserID, 2) }},
		{"new", func(ctx context.Context, s registrar, _ int) error {
			n := int(fresh.Add(1))
			_, err := s.Register(ctx, request(users+n, n, 2*users+n))
			return err
		}},
		{"move", func(ctx context.Context, s registrar, n int) error { // tokens of the users go to others who are new
			r := stored(n)
			r.Key.UserID = userID(users + int(fresh.Add(1)))
			_, err := s.Register(ctx, r)
			return err
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
			d.Exec(b, db, "CREATE TABLE TABLE_NAME_plain ("+plainColumns+")")
			upsert := plain{d: d, db: db}
			if engine == "SQLite" {
				upsert.writing = new(sync.Mutex)
			}
			impls := map[string]registrar{"upsert": upsert, "sqlstore": d.NewStore(b, sqlstore.Options{})}
			for _, s := range impls {
				fill(b, s)
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

func fill(b *testing.B, s registrar) {
	together(b, 2*users, func(n int) error { _, err := s.Register(b.Context(), request(n/2, n, n)); return err })
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
