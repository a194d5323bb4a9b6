// Command admin is the operator's tool for a store of device tokens. It shows the
// registrations of a user and the holder of a token, logs a device out, erases a user,
// exports, imports, copies, compares and counts whole stores, and upgrades and checks
// a DynamoDB table. README.md in this folder lists its commands.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the program at once

	p := &program{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv}
	os.Exit(p.run(ctx, os.Args[1:]))
}
