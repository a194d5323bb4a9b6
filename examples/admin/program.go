package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/examples/internal/visible"
	"github.com/devicetokens/devicetokens/tokens"
)

// A program is one run of the command: where it reads and writes, and what its
// flags said. Answers go to out; questions, progress and errors go to err, so
// that the output of a command can be piped on.
type program struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string

	transport    http.RoundTripper      // nil: the SDK's own
	saveInterval time.Duration          // how much work a killed run does again; 0: a second
	logInterval  time.Duration          // between lines of progress; 0: ten seconds
	stores       map[string]walkedStore // of tests, by the names that flags may have

	db, endpoint, region, output string
	table                        string // the table of DynamoDB that db names, set by client
	reveal, yes                  bool
	closing                      []func() error // what ends the connections

	lines *bufio.Reader
}

// The exit codes.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitNothing = 3 // nothing is stored for what was asked
)

// run runs the command with those arguments, and returns its exit code.
func (p *program) run(ctx context.Context, args []string) int {
	p.lines = bufio.NewReader(p.in)
	cmd := p.command()
	cmd.SetArgs(args)
	cmd.SetIn(p.in)
	cmd.SetOut(p.out)
	cmd.SetErr(p.err)
	err := cmd.ExecuteContext(ctx)
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
		Long: "The operator's tool for a store of device tokens. Region, credentials and profile are those of\n" +
			"the AWS SDK's environment.",
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if p.output != "table" && p.output != "json" {
				return &usageError{"--output is table or json"}
			}
			return nil
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		if holdsToken(err.Error()) {
			return &usageError{"a flag has a value that it cannot have, and a token is no argument: " + tokenInHistory}
		}
		return &usageError{err.Error()}
	})
	root.CompletionOptions.DisableDefaultCmd = true
	flags := root.PersistentFlags()
	byDefault := ""
	if table := p.getenv(envTable); table != "" {
		byDefault = schemeDynamoDB + ":" + table
	}
	flags.StringVar(&p.db, "db", byDefault, "`store`: "+database.Names+"; without it, the table in "+envTable)
	flags.Lookup("db").DefValue = "" // or --help would differ with the environment
	flags.StringVar(&p.endpoint, "endpoint", "", "`URL` of a DynamoDB Local, instead of AWS")
	flags.StringVar(&p.region, "region", "", "AWS `region`; without it, the environment's")
	flags.StringVarP(&p.output, "output", "o", "table", "`format` of the output: table or json")
	flags.BoolVar(&p.reveal, "reveal", false, "show tokens, which are credentials; otherwise digits of their hashes")
	flags.BoolVarP(&p.yes, "yes", "y", false, "do not ask before a change")
	root.AddCommand(p.list(), p.holder(), p.deactivate(), p.erase(), p.stats(), p.export(), p.importing(), p.copying(), p.diff(),
		p.console(), p.upgrade(), p.repair(), p.doctor())
	root.SetHelpCommand(helpCommand(root))
	return root
}

// helpCommand is cobra's own, but for an unknown topic, which it would repeat.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Say more about a command",
		RunE: func(_ *cobra.Command, args []string) error {
			about, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return knownCommand(root, args)
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// A usageError is a command line that is no good. Its text has nothing of the
// arguments, which may be a token.
type usageError struct{ text string }

var _ error = (*usageError)(nil)

func (e *usageError) Error() string { return e.text }

// knownCommand is the check of the root's arguments: each is a command that there
// is not.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, c := range root.Commands() {
		known = append(known, c.Name())
	}
	commands := "; the commands are " + strings.Join(known, ", ")
	if slices.ContainsFunc(args, holdsToken) {
		return &usageError{"a token is no argument: " + tokenInHistory + commands}
	}
	return &usageError{"unknown command " + strconv.QuoteToASCII(args[0]) + commands}
}

const tokenInHistory = "it stays in the shell's history and is seen by other processes; pipe it into 'admin holder' instead"

// holdsToken reports whether a text has a token in it, or is one without its
// brackets.
func holdsToken(text string) bool {
	if strings.Contains(text, "PushToken[") {
		return true
	}
	_, err := tokens.ParseToken(text)
	return err == nil
}

// arguments wants n arguments, none of them a token. Cobra's own checks have the
// arguments in the texts of their errors.
func arguments(n int, otherwise string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		for _, arg := range args {
			if strings.Contains(arg, "PushToken[") {
				return &usageError{"a token is no argument: " + tokenInHistory}
			}
		}
		if len(args) != n {
			return &usageError{otherwise}
		}
		return nil
	}
}
