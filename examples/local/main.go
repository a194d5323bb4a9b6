// Command local serves the device tokens API on this machine, to try it out and
// to develop an app against. It keeps registrations in a file of SQLite, unless
// -db names another store. It takes the bearer token of a request for its user
// id, so a client can be any user. With -oidc-issuer it verifies the tokens of
// that issuer instead.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/examples/internal/page"
	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/httpapi/oidcauth"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 picks a free one")
	db := flag.String("db", "device-tokens.db", "`store` of the registrations: a file of SQLite, a postgres:// URL, dynamodb:TABLE, or memory")
	perAddress := flag.Uint("per-address", maxPerAddress, "how many connections one client address may hold; 0 for any number, behind a proxy")
	allowChanges := flag.Bool("allow-changes", false, "let the console log devices out and erase them")
	oidc := oidcConfig(flag.CommandLine)
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "local takes flags only")
		flag.Usage()
		os.Exit(2)
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	var verify httpapi.Authenticator // nil: the bearer token is the user id
	if isOIDCSet(flag.CommandLine) {
		authenticate, err := oidcauth.New(*oidc)
		if err != nil {
			logger.Error("stopped", "error", byFlag(err))
			os.Exit(2)
		}
		verify = authenticate
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the program at once

	if err := run(ctx, *addr, *db, *perAddress, verify, oidc.Issuer, *allowChanges, logger); err != nil {
		logger.Error("stopped", "error", err)
		os.Exit(1)
	}
}

// run serves on addr until ctx is done.
func run(ctx context.Context, addr, db string, perAddress uint, verify httpapi.Authenticator, issuer string, allowChanges bool, logger *slog.Logger) (err error) {
	registry, err := database.Open(ctx, db, database.Options{Create: true})
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer func() { err = errors.Join(err, registry.Close()) }()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	at := listener.Addr().(*net.TCPAddr)
	handler, consolePath := newHandler(ctx, registry, verify, allowChanges, logger)
	if baseURL := "http://" + reachable(at); verify != nil {
		fmt.Printf("Device tokens at %s, kept in %s, for bearer tokens of %s\nCtrl-C stops the server.\n", baseURL+httpapi.Path, registry.Name, issuer)
	} else {
		fmt.Print(tryIt(baseURL, registry.Name, consolePath))
		logger.Warn("the bearer token is taken for the user id: do not use this server for anything real")
		if !at.IP.IsLoopback() {
			logger.Warn("THIS SERVER CAN BE REACHED FROM OTHER MACHINES, AND EACH CLIENT CAN BE ANY USER", "addr", at.String())
		}
	}
	return serve(ctx, limited(listener, perAddress), handler, logger)
}

// reachable returns the address that a client on this machine uses.
func reachable(at *net.TCPAddr) string {
	host := *at
	if host.IP.IsUnspecified() {
		host.IP = net.IPv4(127, 0, 0, 1)
	}
	return host.String()
}

// newHandler returns the whole service. Without verify it includes the demonstration, at
// its root, and a console, which ends with ctx.
func newHandler(ctx context.Context, db *database.Database, verify httpapi.Authenticator, allowChanges bool, logger *slog.Logger) (_ http.Handler, consolePath string) {
	if verify != nil {
		return httpapi.MustNew(db.Store, verify, httpapi.Options{Logger: logger}), ""
	}
	s := page.Watch(db.Store)
	console := page.NewConsole(ctx, page.Options{
		Name: db.Name, Store: s, Walker: db.Walker, Events: s, AllowChanges: allowChanges, Logger: logger,
	})
	return page.Demo(httpapi.MustNew(s, bearerIsUser, httpapi.Options{Logger: logger}), s, console), console.Path()
}

// serve answers requests until ctx is done. Then it accepts no more, and gives the
// running ones ten seconds.
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
