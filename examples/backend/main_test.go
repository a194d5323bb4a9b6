package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	_ "modernc.org/sqlite"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// TestRoutes serves the handler below a path of a chi router, to users with a session.
func TestRoutes(t *testing.T) {
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "sessions.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE sessions (id TEXT PRIMARY KEY, user_id TEXT); INSERT INTO sessions VALUES ('s1', 'alice')`); err != nil {
		t.Fatal(err)
	}
	handler := routes(memstore.MustNew(store.Policy{}), sessionUser(db))
	for _, tc := range []struct {
		method, path, cookie, body string
		want                       int
	}{
		{"GET", "/healthz", "", "", 200},
		{"GET", "/push/v1/device-tokens", "", "", 401},
		{"GET", "/push/v1/device-tokens", "session=unknown", "", 401},
		{"POST", "/push/v1/device-tokens", "session=s1", `{"deviceId":"phone-1","expoPushToken":"ExponentPushToken[a]","platform":"ios"}`, 201},
		{"GET", "/push/v1/device-tokens", "session=s1", "", 200},
		{"DELETE", "/push/v1/device-tokens?deviceId=phone-1", "session=s1", "", 204},
		{"GET", "/v1/device-tokens", "session=s1", "", 404},
	} {
		if got := answer(t, handler, tc.method, tc.path, tc.cookie, tc.body); got != tc.want {
			t.Errorf("%s %s with cookie %q answered %d, want %d", tc.method, tc.path, tc.cookie, got, tc.want)
		}
	}
	_ = db.Close()
	if got := answer(t, handler, "GET", "/push/v1/device-tokens", "session=s1", ""); got != 503 {
		t.Errorf("without a database of sessions: %d, want 503", got)
	}
}

func answer(t *testing.T, handler http.Handler, method, path, cookie, body string) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Cookie", cookie)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Code
}

// The code of docs/stores.md, besides that of main.go.

func openSQLite(ctx context.Context, file string) (*sqlstore.Store, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(8)
	s, err := sqlstore.New(db, sqlstore.SQLite(nil), sqlstore.Options{})
	if err != nil {
		return nil, err
	}
	return s, s.CreateTable(ctx)
}

func openDynamoDB(ctx context.Context, table string) (*dynamostore.Store, error) {
	cfg, err := config.LoadDefaultConfig(ctx) // region, credentials and endpoint of the environment
	if err != nil {
		return nil, err
	}
	client := dynamodb.NewFromConfig(cfg)
	err = dynamostore.CreateTable(ctx, client, table) // local work only: use Terraform on AWS
	var exists *types.ResourceInUseException
	if err != nil && !errors.As(err, &exists) {
		return nil, err
	}
	return dynamostore.New(client, table, dynamostore.Options{})
}

func TestOpenSQLite(t *testing.T) {
	s, err := openSQLite(t.Context(), filepath.Join(t.TempDir(), "tokens.db"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.List(t.Context(), "alice"); err != nil || len(got) != 0 {
		t.Errorf("List returned %v, %v", got, err)
	}
}

func TestOpenDynamoDB(t *testing.T) {
	client := dynamotest.Client(t, nil)
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamotest.Endpoint(t))
	t.Setenv("AWS_REGION", client.Options().Region)
	t.Setenv("AWS_ACCESS_KEY_ID", "local")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "local")
	table := "backend-" + rand.Text()
	t.Cleanup(func() {
		if _, err := client.DeleteTable(context.WithoutCancel(t.Context()), &dynamodb.DeleteTableInput{TableName: &table}); err != nil {
			t.Error(err)
		}
	})
	for range 2 { // the second time, the table exists
		s, err := openDynamoDB(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(t.Context(), tokens.Key{UserID: "alice", DeviceID: "phone-1"}); err != nil {
			t.Error(err)
		}
	}
}
