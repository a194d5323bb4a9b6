package sqlengines

import (
	"context"
	"flag"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/internal/sidebyside"
	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// The default takes a second or two. A flag on the command line overrides it.
func init() {
	if err := flag.Set("rapid.checks", "30"); err != nil {
		panic(err)
	}
}

// TestSideBySide compares sqlstore with memstore, as its namesake compares dynamostore.
func TestSideBySide(t *testing.T) {
	for _, e := range Engines {
		t.Run(e.Name, func(t *testing.T) {
			w := newWorld(t, e.Open)
			compared := sidebyside.Play(t, func(_ *rapid.T, p store.Policy) sidebyside.Subject {
				w.Exec(t, w.db, "DELETE FROM TABLE_NAME")
				return sidebyside.Subject{
					Store:   w.Store(t, w.db, sqlstore.Options{Policy: p}),
					Rows:    w.live,
					Expired: w.expired,
					Close:   func() {},
				}
			})
			t.Logf("%d answers are equal", compared)
		})
	}
}

// live reads the rows that have not expired, without the store.
func (w *world) live(now time.Time) map[tokens.Key]map[string]string {
	rows := make(map[tokens.Key]map[string]string)
	w.each(`SELECT user_id, device_id, token, platform, project_id, status, registered_at, updated_at, expires_at
FROM TABLE_NAME WHERE expires_at > $1`, func(scan func(...any) error) error {
		var r tokens.Registration
		var token string
		var registered, updated, expires int64
		err := scan(&r.Key.UserID, &r.Key.DeviceID, &token, &r.Platform, &r.ProjectID, &r.Status, &registered, &updated, &expires)
		if err != nil {
			return err
		}
		r.RegisteredAt, r.UpdatedAt, r.ExpiresAt = time.UnixMilli(registered), time.UnixMilli(updated), time.UnixMilli(expires)
		r.Token, err = tokens.ParseToken(token)
		rows[r.Key] = sidebyside.Row(r)
		return err
	}, now.UnixMilli())
	return rows
}

// expired returns a function for each expired row that removes it, as Purge may at any moment.
func (w *world) expired(now time.Time) (remove []func()) {
	w.each("SELECT user_id, device_id FROM TABLE_NAME WHERE expires_at <= $1 ORDER BY user_id, device_id", func(scan func(...any) error) error {
		var user, device string
		err := scan(&user, &device)
		remove = append(remove, func() {
			w.Exec(w.TB, w.db, "DELETE FROM TABLE_NAME WHERE user_id = $1 AND device_id = $2", user, device)
		})
		return err
	}, now.UnixMilli())
	return remove
}

// each calls row for each row of a query.
func (w *world) each(query string, row func(scan func(...any) error) error, args ...any) {
	w.Helper()
	rows, err := w.db.QueryContext(context.WithoutCancel(w.Context()), w.Named(query), args...)
	if err != nil {
		w.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			w.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		w.Fatal(err)
	}
}
