package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/internal/sqlengines"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestCopyBetweenDatabases moves a registry through every kind of store and back,
// and wants every registration, status and time at each end.
func TestCopyBetweenDatabases(t *testing.T) {
	d := newDesk(t)
	source := filepath.Join(t.TempDir(), "source.db")
	db, err := database.Open(t.Context(), source, database.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { d.check(db.Close()) }()
	d.store = db.Store
	d.fill(250)
	gone := d.register("gone", "phone", "ExpoPushToken[gone]")
	d.check(d.store.Invalidate(t.Context(), gone.Key, gone.Token.Hash(), gone.UpdatedAt.AddDate(0, 0, 1)))
	d.check(d.store.Delete(t.Context(), tokens.Key{UserID: "user-001", DeviceID: "phone"}))
	want := all(t, db.Walker)

	from := source
	for _, to := range []string{emptyPostgres(t), "dynamodb:" + d.table, filepath.Join(t.TempDir(), "back.db")} {
		d.run("", "copy", "--from", from, "--to", to, "--yes").want(t, exitOK, "imported         250")
		d.run("", "copy", "--from", from, "--to", to, "--yes").want(t, exitOK, "kept             250")
		d.run("", "diff", "--from", source, "--to", to).want(t, exitOK)
		target, err := database.Open(t.Context(), to, database.Options{Endpoint: dynamotest.Endpoint(t)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, all(t, target.Walker)); diff != "" {
			t.Errorf("from %s to %s (-want +got):\n%s", from, to, diff)
		}
		d.check(target.Close())
		from = to
	}
	d.run("", "list", "gone", "--db", from).want(t, exitOK, "device_not_registered")
}

// TestStoreNames: a name that no store has is a wrong command line, and creates no
// file.
func TestStoreNames(t *testing.T) {
	d := newDesk(t)
	missing := filepath.Join(t.TempDir(), "missing.db")
	for _, tt := range []struct{ name, says string }{
		{missing, "no such file"},
		{"mysql://localhost/x", "unknown kind of store"},
		{"memory", "unknown kind of store"},
		{"postgres://u:secret@[::1/x", "the postgres:// URL is invalid"},
	} {
		o := d.run("", "stats", "--db", tt.name)
		if o.code == exitOK {
			t.Errorf("%s: exit code 0", tt.name)
		}
		o.want(t, o.code, tt.says)
	}
	if found, _ := filepath.Glob(missing); found != nil {
		t.Error("the missing file was created")
	}
}

// emptyPostgres returns the URL of a schema of its own.
func emptyPostgres(t *testing.T) string {
	t.Helper()
	at, err := url.Parse(sqlengines.PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	schema := "admin_" + strings.ToLower(rand.Text())
	execute := func(ctx context.Context, statement string) {
		conn, err := pgx.Connect(ctx, at.String())
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.Exec(ctx, statement)
		if err := errors.Join(err, conn.Close(ctx)); err != nil {
			t.Fatal(err)
		}
	}
	execute(t.Context(), "CREATE SCHEMA "+schema)
	t.Cleanup(func() { execute(context.WithoutCancel(t.Context()), "DROP SCHEMA "+schema+" CASCADE") })
	query := at.Query()
	query.Set("search_path", schema)
	at.RawQuery = query.Encode()
	return at.String()
}
