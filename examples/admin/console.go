package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/examples/internal/page"
)

func (p *program) console() *cobra.Command {
	var (
		addr         string
		rate         int
		allowChanges bool
	)
	cmd := &cobra.Command{
		Use:   "console",
		Short: "Show the store in a browser: is a user reached, and if not, why not",
		Long: "Serves pages that answer whether a user is reached on each device, and if not, why and since when; who holds\n" +
			"a token; and the totals, which read the whole store in the background. It shows no token. The address that it\n" +
			"prints has a random key, which allows to read the store: keep it secret. Ctrl-C ends it.",
		Args: flagsOnly,
		RunE: p.onStore(func(ctx context.Context, db *database.Database, _ []string) error {
			if rate < 1 {
				return &usageError{"--rate is 1 or more"}
			}
			listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
			if err != nil {
				return err
			}
			at := listener.Addr().(*net.TCPAddr)
			logger := slog.New(slog.NewTextHandler(p.err, nil))
			console := page.NewConsole(ctx, page.Options{
				Name: db.Name, Store: db.Store, Walker: db.Walker, Rate: rate, AllowChanges: allowChanges, Remote: !at.IP.IsLoopback(), Logger: logger,
			})
			server := &http.Server{Handler: console, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute, IdleTimeout: time.Minute}
			if !at.IP.IsLoopback() {
				logger.Warn("the console can be reached from other machines, and its key is sent over http")
			}
			fmt.Fprintf(p.out, "Console of %s, until Ctrl-C: http://%s%s\n", db.Name, at, console.Path())
			context.AfterFunc(ctx, func() { _ = server.Close() })
			if err := server.Serve(listener); ctx.Err() == nil {
				return err
			}
			return nil
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&addr, "addr", "127.0.0.1:0", "`host:port` to listen on; port 0 picks a free one")
	flags.IntVar(&rate, "rate", 2000, "`rows` a second, at most, that the totals read")
	flags.BoolVar(&allowChanges, "allow-changes", false, "let the console log devices out and erase them")
	return cmd
}
