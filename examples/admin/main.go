// Command admin is the operator's tool for a store of device tokens. README.md in this
// folder lists its commands.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/examples/internal/visible"
	"github.com/devicetokens/devicetokens/tokens"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the program at once

	p := &program{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv}
	os.Exit(p.run(ctx, os.Args[1:]))
}

// A program is one run of the command. Results go to out. Questions, progress and errors
// go to err, so that the output can be piped.
type program struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string

	transport   http.RoundTripper      // nil: the SDK's own
	logInterval time.Duration          // time between lines of progress; 0: ten seconds
	stores      map[string]walkedStore // for tests, by the value of a flag

	db, endpoint, region, output string
	table                        string // the DynamoDB table in db; set by client
	reveal, yes                  bool
	closing                      []func() error // closes connections

	lines *bufio.Reader
}

const (
	exitOK = iota
	exitFailed
	exitUsage
	exitNothing // no matching registration
)

func (p *program) run(ctx context.Context, args []string) int {
	p.lines = bufio.NewReader(p.in)
	cmd := p.command()
	cmd.SetArgs(args)
	cmd.SetOut(p.out)
	cmd.SetErr(p.err)
	var err error = &usageError{noToken}
	if !slices.ContainsFunc(args, func(arg string) bool { return strings.Contains(arg, "PushToken[") }) {
		err = cmd.ExecuteContext(ctx)
	}
	for _, end := range p.closing {
		err = errors.Join(err, end())
	}
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(p.err, "admin:", visible.Text(err.Error()))
	var usage *usageError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintln(p.err, "admin: see 'admin --help'")
		return exitUsage
	case errors.Is(err, errNothing):
		return exitNothing
	}
	if hint := hintFor(err); hint != "" {
		fmt.Fprintln(p.err, "admin:", hint)
	}
	return exitFailed
}

func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "admin",
		Short: "The operator's tool for a store of device tokens",
		Long: "The operator's tool for a store of device tokens. AWS region, credentials and profile come from the\n" +
			"environment, as for the AWS CLI.",
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if p.output != "table" && p.output != "json" {
				return &usageError{"--output must be table or json"}
			}
			return nil
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err.Error()} })
	root.CompletionOptions.DisableDefaultCmd = true
	flags := root.PersistentFlags()
	byDefault := ""
	if table := p.getenv(envTable); table != "" {
		byDefault = schemeDynamoDB + ":" + table
	}
	flags.StringVar(&p.db, "db", byDefault, "`store`: "+database.Names+"; default: the table in "+envTable)
	flags.Lookup("db").DefValue = "" // so that --help does not depend on the environment
	flags.StringVar(&p.endpoint, "endpoint", "", "`URL` of DynamoDB Local, instead of AWS")
	flags.StringVar(&p.region, "region", "", "AWS `region`; default: the environment's")
	flags.StringVarP(&p.output, "output", "o", "table", "`format` of the output: table or json")
	flags.BoolVar(&p.reveal, "reveal", false, "show tokens, which are credentials, instead of digits of their hashes")
	flags.BoolVarP(&p.yes, "yes", "y", false, "do not ask for confirmation")
	root.AddCommand(p.list(), p.holder(), p.deactivate(), p.erase(), p.stats(), p.export(), p.importing(), p.copying(), p.diff(),
		p.console(), p.upgrade(), p.repair(), p.doctor())
	root.SetHelpCommand(&cobra.Command{Hidden: true}) // cobra's would print an unknown topic, possibly a token
	return root
}

// A usageError is an error of the command line. Its text contains no token.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// knownCommand rejects arguments of the root command, which are unknown commands.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			known = append(known, c.Name())
		}
	}
	commands := ": use one of " + strings.Join(known, ", ")
	if _, err := tokens.ParseToken(args[0]); err == nil { // a bare one
		return &usageError{noToken + commands}
	}
	return &usageError{"unknown command " + strconv.QuoteToASCII(args[0]) + commands}
}

const noToken = "do not pass a token as an argument: the shell's history keeps it and other processes see it; pipe it into 'admin holder' instead"

func flagsOnly(cmd *cobra.Command, args []string) error {
	return arguments(0, cmd.Name()+" takes flags only")(cmd, args)
}

// arguments requires n arguments. Cobra's own checks would print them.
func arguments(n int, otherwise string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return &usageError{otherwise}
		}
		return nil
	}
}
