package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
)

// newHandler is the whole service. A real one has another store, and is otherwise
// the same.
func newHandler(authenticate httpapi.Authenticator, logger *slog.Logger) http.Handler {
	return httpapi.New(memstore.New(store.Policy{}), authenticate, httpapi.Options{Logger: logger})
}

// maxConnections is how many connections are served at once. Each takes some tens
// of KiB, so that whatever comes, memory is bounded; what comes beyond waits in
// the operating system's queue until the time-outs below have made room.
const maxConnections = 4096

// serve answers requests until ctx is done. Then it takes no more, and gives
// those under way ten seconds.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, logger *slog.Logger) error {
	server := &http.Server{
		Handler: handler,
		// An app sends a few hundred bytes: whoever takes longer holds a
		// connection for its own sake.
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	logger.Info("serving", "addr", listener.Addr().String())

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(netutil.LimitListener(listener, maxConnections)) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	logger.Info("stopping")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return err
	}
	logger.Info("stopped")
	return nil
}
