package main

import (
	"database/sql"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
)

// A router of another module serves the handler below a path, to the user whose
// session the cookie names.
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
