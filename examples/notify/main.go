// Command notify sends a push notification to the devices of one user or of
// millions, within Expo's limits. If it is killed, the same command continues the
// job. README.md describes the command line.
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
	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/examples/notify/internal/expo"
	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
	"github.com/devicetokens/devicetokens/examples/notify/internal/sender"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the program at once
	os.Exit(program(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// program returns the exit code: 0 if the job is done, 1 if messages failed or are
// left for the next run, 2 if the command line, the list of users or the outbox
// cannot be used.
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
	switch err := start(ctx, c, logger, stdout, stderr); {
	case err == nil:
		return 0
	case errors.Is(err, sender.ErrUsers), errors.Is(err, errTooLong),
		errors.Is(err, outbox.ErrNoFile), errors.Is(err, outbox.ErrOtherJob), errors.Is(err, outbox.ErrDamaged):
		fmt.Fprintln(stderr, "notify:", err)
		return 2
	case errors.Is(err, errFailed):
		logger.Error("the job is done, but messages failed", "error", err)
	default:
		attrs := []any{"error", err}
		if network := awsenv.NetworkError(err); network != nil {
			attrs = append(attrs, "network", network)
		}
		logger.Error("the job is not done: run the same command again to continue", attrs...)
	}
	return 1
}

// errFailed means that nothing is left to do and that messages failed.
var errFailed = errors.New("messages failed permanently")

// start opens the list of users, the store and the outbox, and runs the job.
func start(ctx context.Context, c settings, logger *slog.Logger, stdout, stderr io.Writer) error {
	users, err := c.openUsers()
	if err != nil {
		return err
	}
	defer func() { _ = users.Close() }()
	if err := c.fits(users.list.Longest); err != nil {
		return err
	}
	db, err := database.Open(ctx, c.db, database.Options{})
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer func() { _ = db.Close() }()
	c.db = db.Name // without a password, which may change while the job is under way
	box, err := outbox.Open(c.outbox, c.jobID(users), outbox.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = box.Close() }()

	switch done, err := box.Done(); {
	case err != nil:
		return err
	case done:
		logger.Warn("this job is done already, so nothing is sent: to send it again, name another -outbox")
	}

	push := &expo.Client{URL: c.expoURL, AccessToken: c.accessToken}
	c.sender.Log = logger
	job := sender.Job{Users: users, Content: c.content, Data: c.data}
	endProgress := showProgress(stderr, logger, box, users.size)
	err = sender.New(db.Store, push, box, job, c.sender).Run(ctx)
	endProgress()
	failed, reportErr := report(stdout, logger, box)
	if err := errors.Join(err, reportErr); err != nil || !failed {
		return err
	}
	return errFailed
}

// report prints what all runs of the job have done and what is left. failed reports
// whether messages failed permanently.
func report(stdout io.Writer, logger *slog.Logger, box *outbox.Outbox) (failed bool, err error) {
	counts, countsErr := box.Counts()
	left, leftErr := box.Left()
	waiting, waitingErr := box.Waiting()
	if err := errors.Join(countsErr, leftErr, waitingErr); err != nil {
		return false, err
	}
	summarize(stdout, counts, left, waiting)
	if counts.Users > 0 && counts.NoDevice == counts.Users {
		logger.Warn("no user on the list has a device: check that -users and -db belong together")
	}
	return len(counts.Failed) > 0, nil
}
