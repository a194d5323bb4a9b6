// Command local serves the device tokens API on this machine, to try it out and
// to develop an app against. It keeps registrations in a file of SQLite, unless
// -db names another store. It takes the bearer token of a request for its user
// id, so a client can be any user. With -oidc-issuer it verifies the tokens of
// that issuer instead.
//
//	go run ./local [-addr 127.0.0.1:8080] [-db device-tokens.db] [-allow-changes] [-per-address 256] [-oidc-issuer URL -oidc-audience NAME [-oidc-…]]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/devicetokens/devicetokens/examples/internal/database"
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
	who, err := chooseCallers(*oidc, isOIDCSet(flag.CommandLine))
	if err != nil {
		logger.Error("stopped", "error", err)
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the program at once

	if err := run(ctx, *addr, *db, *perAddress, who, *allowChanges, logger); err != nil {
		logger.Error("stopped", "error", err)
		os.Exit(1)
	}
}

// run serves who on addr until ctx is done.
func run(ctx context.Context, addr, db string, perAddress uint, who callers, allowChanges bool, logger *slog.Logger) (err error) {
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
	handler, consolePath := newHandler(ctx, registry, who, allowChanges, logger)
	fmt.Print(who.greeting("http://"+reachable(at), registry.Name, consolePath))
	if !who.verified {
		logger.Warn("the bearer token is taken for the user id: do not use this server for anything real")
		if !at.IP.IsLoopback() {
			logger.Warn("THIS SERVER CAN BE REACHED FROM OTHER MACHINES, AND EACH CLIENT CAN BE ANY USER", "addr", at.String())
		}
	}
	return serve(ctx, limited(listener, perAddress), handler, logger)
}

// reachable is the address that a client on this machine uses.
func reachable(at *net.TCPAddr) string {
	host := *at
	if host.IP.IsUnspecified() {
		host.IP = net.IPv4(127, 0, 0, 1)
	}
	return host.String()
}
