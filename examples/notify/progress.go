package main

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
)

// showProgress shows how much of the list was read and how many messages were sent:
// in one line of a terminal, otherwise as a log line every ten seconds. end stops it
// and waits until it has stopped.
func showProgress(w io.Writer, logger *slog.Logger, box *outbox.Outbox, size int64) (end func()) {
	file, isFile := w.(*os.File)
	isTerminal := isFile && term.IsTerminal(int(file.Fd()))
	every := 10 * time.Second
	if isTerminal {
		every = 500 * time.Millisecond
	}
	stop := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		ticks := time.NewTicker(every)
		defer ticks.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticks.C:
			}
			at, err := box.Position()
			c, countsErr := box.Counts()
			switch {
			case err != nil || countsErr != nil:
			case isTerminal:
				fmt.Fprintf(w, "\r%3d %% of the list read, %d sent, %d receipts", 100*at.Offset/max(size, 1), c.Accepted, c.Delivered)
			default:
				logger.Info("progress", "users", c.Users, "planned", c.Planned, "accepted", c.Accepted,
					"dropped", c.Dropped, "delivered", c.Delivered, "unregistered", c.Unregistered)
			}
		}
	})
	return func() {
		close(stop)
		running.Wait()
		if isTerminal {
			fmt.Fprintln(w)
		}
	}
}

func summarize(w io.Writer, c outbox.Counts, left map[string]int, waiting int) {
	line := func(n int, what string) { fmt.Fprintf(w, "%9d %s\n", n, what) }
	some := func(n int, what string) {
		if n > 0 {
			line(n, what)
		}
	}
	line(c.Users, "users")
	some(c.NoDevice, "of these have no device")
	line(c.Planned, "messages, one for each device")
	line(c.Dropped, "not sent: the device no longer belonged to the user")
	line(c.Accepted, "accepted by Expo")
	line(c.Delivered, "accepted by Apple or Google")
	line(c.NoReceipt, "accepted by Expo, without a receipt")
	line(c.Unregistered, "for devices that are gone")
	line(c.Invalidated, "of these invalidated in the store")
	for _, code := range slices.Sorted(maps.Keys(c.Failed)) {
		line(c.Failed[code], "failed with "+code)
	}
	for _, why := range slices.Sorted(maps.Keys(left)) {
		what := "left for the next run"
		if why != "" {
			what += ", after " + why
		}
		some(left[why], what)
	}
	some(waiting, "receipts left for the next run")
}
