// Command notify sends a push notification to the devices of one user or of
// millions, within Expo's limits. Killed at any moment, it goes on where it was
// when it is run again. README.md beside this file has its command line.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/devicetokens/devicetokens/examples/internal/awsenv"
	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/examples/notify/internal/sender"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the program at once
	os.Exit(program(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// program returns the exit code: 0 if the job is done, 1 if it is not and may be
// run again, 2 if the command line is wrong.
func program(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "notify:", err)
		return 2
	}
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	if err := start(ctx, c, logger, stdout, stderr); err != nil {
		attrs := []any{"error", err}
		if network := awsenv.NetworkError(err); network != nil {
			attrs = append(attrs, "network", network)
		}
		logger.Error("not done; run it again to go on", attrs...)
		return 1
	}
	return 0
}

// start opens what the job needs, and runs it.
func start(ctx context.Context, c settings, logger *slog.Logger, stdout, stderr io.Writer) error {
	if c.demo {
		end, err := c.startDemo(ctx)
		if err != nil {
			return err
		}
		defer end()
	}
	registry, err := c.openRegistry(ctx)
	if err != nil {
		return err
	}
	users, err := c.openUsers()
	if err != nil {
		return err
	}
	defer func() { _ = users.Close() }()
	box, err := outbox.Open(c.outbox, c.jobID(users), outbox.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = box.Close() }()

	switch done, err := isDone(box); {
	case err != nil:
		return err
	case done:
		logger.Warn("this job was done before and nothing is sent; to send it again, name another -outbox")
	}

	push := &expo.Client{URL: c.expoURL, AccessToken: c.accessToken}
	c.sender.Log = logger
	job := sender.Job{Users: users, Content: c.content, Data: c.data}
	endProgress := showProgress(stderr, logger, box, users.size)
	err = sender.New(registry, push, box, job, c.sender).Run(ctx)
	endProgress()
	counts, countsErr := box.Counts()
	if countsErr == nil {
		summarize(stdout, counts)
	}
	return errors.Join(err, countsErr)
}

// isDone reports whether an earlier run finished the job.
func isDone(box *outbox.Outbox) (bool, error) {
	at, err := box.Position()
	if err != nil || !at.Done {
		return false, err
	}
	return box.Empty()
}
