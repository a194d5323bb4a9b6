// Command backend is the smallest backend that serves the device tokens API: a
// chi router, session cookies, and registrations in the PostgreSQL database that
// DATABASE_URL names. docs/integrating.md explains it.
package main

import (
	"context"
	"database/sql"
	"errors"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/go-chi/chi/v5"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

func main() {
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	s, err := sqlstore.New(db, sqlstore.Postgres(), sqlstore.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if err := s.CreateTable(context.Background()); err != nil {
		log.Fatal(err)
	}
	log.Print("listening on http://127.0.0.1:8080")
	log.Fatal(server(routes(s, sessionUser(db))).ListenAndServe())
}

func routes(s store.Store, authenticate httpapi.Authenticator) http.Handler {
	r := chi.NewRouter()
	r.Get("/healthz", func(http.ResponseWriter, *http.Request) {})
	r.Mount("/push", httpapi.MustNew(s, authenticate, httpapi.Options{BasePath: "/push"}))
	return r
}

// sessionUser authenticates a request by the cookie "session".
func sessionUser(db *sql.DB) httpapi.Authenticator {
	return func(r *http.Request) (tokens.UserID, error) {
		cookie, err := r.Cookie("session")
		if err != nil {
			return "", httpapi.ErrUnauthenticated // 401: the app asks the user to log in
		}
		var user string
		err = db.QueryRowContext(r.Context(), `SELECT user_id FROM sessions WHERE id = $1`, cookie.Value).Scan(&user)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return "", httpapi.ErrUnauthenticated
		case err != nil:
			return "", store.ErrTryAgain // 503: a failed lookup logs no user out
		}
		return tokens.UserID(user), nil
	}
}

func server(handler http.Handler) *http.Server {
	return &http.Server{
		Addr:              "127.0.0.1:8080",
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,  // slow or no headers
		ReadTimeout:       10 * time.Second, // a slow body
		WriteTimeout:      15 * time.Second, // a client that reads its answer slowly
		IdleTimeout:       15 * time.Second, // no next request
		MaxHeaderBytes:    16 << 10,
	}
}
