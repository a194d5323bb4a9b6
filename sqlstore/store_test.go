package sqlstore

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/store"
)

func TestNew(t *testing.T) {
	db := new(sql.DB)
	tests := []struct {
		name string
		db   *sql.DB
		d    Dialect
		opts Options
		want []string // parts of the error
	}{
		{"valid", db, Postgres(), Options{}, nil},
		{"a schema", db, Postgres(), Options{Table: "push.device_tokens"}, nil},
		{"no database, no dialect", nil, Dialect{}, Options{}, []string{"database is nil", "dialect is zero"}},
		{"names", db, SQLite(nil), Options{Table: `x"; DROP TABLE y; --`}, []string{"Options.Table", "letters, digits and underscores"}},
		{"a long name", db, SQLite(nil), Options{Table: strings.Repeat("x", 64)}, []string{"at most 63"}},
		{"a policy", db, SQLite(nil), Options{Policy: store.Policy{MaxDevices: -1}}, []string{"Policy.MaxDevices"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := New(tt.db, tt.d, tt.opts)
			if (s == nil) != (err != nil) || (err != nil) != (tt.want != nil) {
				t.Fatalf("store %v, error %v", s != nil, err)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error %q does not contain %q", err, part)
				}
			}
		})
	}
}

func TestSchema(t *testing.T) {
	for _, tt := range []struct {
		d           Dialect
		table, want string
	}{
		{Postgres(), "", `CREATE TABLE IF NOT EXISTS "device_tokens" (`},
		{Postgres(), "Push.Tokens", `CREATE TABLE IF NOT EXISTS "Push"."Tokens" (`},
		{SQLite(nil), "t", `CREATE TABLE IF NOT EXISTS "t" (`},
	} {
		got, err := tt.d.Schema(tt.table)
		if err != nil {
			t.Fatal(err)
		}
		if first, _, _ := strings.Cut(got, "\n"); first != tt.want {
			t.Errorf("got %q, want %q", first, tt.want)
		}
	}
	if text, err := Postgres().Schema("a.b.c"); err == nil {
		t.Errorf("no error, and %q", text)
	}
	if text, err := (Dialect{}).Schema(""); err == nil {
		t.Errorf("no error, and %q", text)
	}
}

type sqlState string

func (s sqlState) Error() string    { return "user alice" }
func (s sqlState) SQLState() string { return string(s) }

type sqliteCode int

func (s sqliteCode) Error() string { return "user alice" }
func (s sqliteCode) Code() int     { return int(s) }

func TestErrors(t *testing.T) {
	type want struct {
		Again, Misconfigured, Repeat bool
		Text                         string
	}
	again := func(text string) want { return want{Again: true, Text: "code " + text + ": store: try again"} }
	misconfigured := func(text string) want {
		return want{Misconfigured: true, Text: "code " + text + ": store: misconfigured"}
	}
	fault := func(text string) want { return want{Text: "code " + text} }
	repeat := func(text string) want { w := again(text); w.Repeat = true; return w }
	type test struct {
		d    Dialect
		err  error
		want want
	}
	tests := []test{
		{Postgres(), errors.New("eof"), want{Again: true, Text: "no response: store: try again"}},
		{Postgres(), sqlState(""), want{Again: true, Text: "no response: store: try again"}},
		{Postgres(), &net.DNSError{IsNotFound: true}, want{Misconfigured: true, Text: "no response: store: misconfigured"}},
		{Postgres(), &tls.CertificateVerificationError{Err: errors.New("x")}, want{Misconfigured: true, Text: "no response: store: misconfigured"}},
		{SQLite(nil), errors.New("closed"), want{Again: true, Text: "no response: store: try again"}},
		{SQLite(func(error) (int, bool) { return 14, true }), errors.New("x"), misconfigured("14")},
	}
	for _, kind := range []struct {
		of     func(string) want
		states string // of PostgreSQL
		codes  []int  // of SQLite
	}{
		{repeat, "40001 40P01 23505 0A000", []int{5, 517, 6}},
		{again, "08006 40003 53300 55P03 57014 57P01 57P03 25006 25P04 58030", []int{9, 17}},
		{misconfigured, "28P01 3D000 3F000 42P01 42703 42501 26000 57P04", []int{1, 8, 1032, 14, 26}},
		{fault, "53100 23514 22001", []int{13, 11, 19, 2067}},
	} {
		for state := range strings.FieldsSeq(kind.states) {
			tests = append(tests, test{Postgres(), fmt.Errorf("wrapped: %w", sqlState(state)), kind.of(state)})
		}
		for _, code := range kind.codes {
			tests = append(tests, test{SQLite(nil), fmt.Errorf("wrapped: %w", sqliteCode(code)), kind.of(fmt.Sprint(code))})
		}
	}
	for _, tt := range tests {
		s, err := New(new(sql.DB), tt.d, Options{})
		if err != nil {
			t.Fatal(err)
		}
		tt.want.Text = "sqlstore: delete: " + tt.want.Text
		err = s.beginWrite(store.OpDelete).failed(t.Context(), tt.err)
		var failed *StatementError
		got := want{errors.Is(err, store.ErrTryAgain), errors.Is(err, store.ErrMisconfigured), errors.As(err, &failed) && failed.repeat, err.Error()}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.err, diff)
		}
		if !errors.Is(err, tt.err) {
			t.Errorf("%v is not wrapped", tt.err)
		}

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.beginWrite(store.OpDelete).failed(ended, tt.err); !errors.Is(err, store.ErrTryAgain) || !errors.Is(err, context.Canceled) {
			t.Errorf("a write whose context ended: %v", err)
		}
		if err := s.beginRead(store.OpGet).failed(ended, tt.err); errors.Is(err, store.ErrTryAgain) || !errors.Is(err, context.Canceled) {
			t.Errorf("a read whose context ended: %v", err)
		}
	}
}

// TestLockNumbers holds the order of the locks, and that they differ between users,
// tokens and tables.
func TestLockNumbers(t *testing.T) {
	seen := make(map[any]bool)
	for table := range 2 {
		for user := range 20 {
			numbers := lockNumbers(fmt.Sprint(table), "u", [32]byte{byte(user)})
			if numbers[0].(int64) > numbers[1].(int64) {
				t.Errorf("%v: the greater lock is first", numbers)
			}
			seen[numbers[0]], seen[numbers[1]] = true, true
		}
	}
	if want := 2 * (1 + 20); len(seen) != want {
		t.Errorf("%d locks, want %d", len(seen), want)
	}
}
