// Command admin is the operator's tool for a table of device tokens: who is
// reached where, who holds a token, logging a device out, erasing a user,
// upgrading a table of the earlier service, and saying what is wrong with a
// table. README.md beside this file has its commands.
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
