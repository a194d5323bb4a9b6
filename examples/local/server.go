package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/examples/internal/page"
	"github.com/devicetokens/devicetokens/examples/internal/watch"
	"github.com/devicetokens/devicetokens/httpapi"
)

// newHandler returns the whole service. Where clients are not verified, the
// demonstration is at its root, and it returns the path of a console too, which ends
// with ctx.
func newHandler(ctx context.Context, db *database.Database, who callers, allowChanges bool, logger *slog.Logger) (_ http.Handler, consolePath string) {
	if who.verified {
		return httpapi.MustNew(db.Store, who.authenticate, httpapi.Options{Logger: logger}), ""
	}
	s := watch.New(db.Store)
	console := page.NewConsole(ctx, page.Options{
		Name: db.Name, Store: s, Walker: db.Walker, Events: s, AllowChanges: allowChanges, Logger: logger,
	})
	return page.Demo(httpapi.MustNew(s, who.authenticate, httpapi.Options{Logger: logger}), s, console), console.Path()
}

// serve answers requests until ctx is done. Then it takes no more, and gives
// those under way ten seconds.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, logger *slog.Logger) error {
	server := withLimits(handler)
	server.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelWarn)
	logger.Info("serving", "addr", listener.Addr().String())

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
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

// tryIt returns lines to paste into a shell: a phone changes hands.
func tryIt(baseURL, db, consolePath string) string {
	return strings.NewReplacer("BASE", baseURL, "STORE", db, "CONSOLE", baseURL+consolePath).Replace(`Device tokens at BASE/v1/device-tokens, kept in STORE.

    THE BEARER TOKEN IS THE USER ID HERE. FOR TRYING OUT ONLY.

Open BASE/ in a browser: two phones show what this prevents.
The console of this run, for this machine only, is at CONSOLE
Or paste these, in another terminal:

# Alice starts the app on her phone, and is reached there.
curl -i -H 'Authorization: Bearer alice' -H 'Content-Type: application/json' -d '{"deviceId":"phone-1","expoPushToken":"ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]","platform":"ios"}' BASE/v1/device-tokens
curl -i -H 'Authorization: Bearer alice' BASE/v1/device-tokens

# Bob logs in on the same phone. Alice is no longer reached there.
curl -i -H 'Authorization: Bearer bob' -H 'Content-Type: application/json' -d '{"deviceId":"phone-1","expoPushToken":"ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]","platform":"ios"}' BASE/v1/device-tokens
curl -i -H 'Authorization: Bearer alice' BASE/v1/device-tokens

# Bob logs out.
curl -i -X DELETE -H 'Authorization: Bearer bob' 'BASE/v1/device-tokens?deviceId=phone-1'

Ctrl-C stops the server.
`)
}
