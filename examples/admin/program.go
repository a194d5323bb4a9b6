package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/examples/internal/awsenv"
)

const envTable = "DEVICE_TOKEN_TABLE_NAME"

// A program is one run of the command: where it reads and writes, and what its
// flags said. Answers go to out; questions, progress and errors go to err, so
// that the output of a command can be piped on.
type program struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string

	transport   http.RoundTripper // nil: the SDK's own
	logInterval time.Duration     // between lines of progress; 0: ten seconds

	table, endpoint, region, output string
	reveal, yes                     bool

	lines *bufio.Reader
}

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
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
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(p.err, "admin:", err)
	var usage *usageError
	if errors.As(err, &usage) {
		fmt.Fprintln(p.err, "admin: see 'admin --help'")
		return exitUsage
	}
	if hint := hintFor(err); hint != "" {
		fmt.Fprintln(p.err, "admin:", hint)
	}
	return exitFailed
}

func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "admin",
		Short: "The operator's tool for a table of device tokens",
		Long: "The operator's tool for a table of device tokens. Region, credentials and profile are those of\n" +
			"the AWS SDK's environment.",
		Args:          arguments(0, "admin needs a command"),
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
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err.Error()} })
	root.CompletionOptions.DisableDefaultCmd = true
	flags := root.PersistentFlags()
	flags.StringVar(&p.table, "table", p.getenv(envTable), "name of the `table`; without it, "+envTable)
	flags.Lookup("table").DefValue = "" // or --help would differ with the environment
	flags.StringVar(&p.endpoint, "endpoint", "", "`URL` of a DynamoDB Local, instead of AWS")
	flags.StringVar(&p.region, "region", "", "AWS `region`; without it, the environment's")
	flags.StringVarP(&p.output, "output", "o", "table", "`format` of the output: table or json")
	flags.BoolVar(&p.reveal, "reveal", false, "show tokens, which are credentials; otherwise digits of their hashes")
	flags.BoolVarP(&p.yes, "yes", "y", false, "do not ask before a change")
	root.AddCommand(p.list(), p.holder(), p.deactivate(), p.erase(), p.upgrade(), p.repair(), p.doctor())
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
				return &usageError{"there is no such command"}
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// client returns a client of DynamoDB, by the SDK's environment and the flags.
func (p *program) client(ctx context.Context) (*dynamodb.Client, error) {
	if p.table == "" {
		return nil, &usageError{"which table? --table names it, or " + envTable}
	}
	cfg, err := awsenv.Load(ctx, p.region)
	switch {
	case errors.Is(err, awsenv.ErrNoRegion):
		return nil, &usageError{"which region? --region names it, or AWS_REGION"}
	case err != nil:
		return nil, err
	}
	return dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		if p.endpoint != "" {
			o.BaseEndpoint = &p.endpoint
		}
		if p.transport != nil {
			o.HTTPClient = &http.Client{Transport: p.transport}
		}
	}), nil
}

// store returns the table as a store, and the client that it is on.
func (p *program) store(ctx context.Context) (*dynamostore.Store, *dynamodb.Client, error) {
	client, err := p.client(ctx)
	if err != nil {
		return nil, nil, err
	}
	s, err := dynamostore.New(client, p.table, dynamostore.Options{})
	return s, client, err
}

// A usageError is a command line that is no good. Its text has nothing of the
// arguments, which may be a token.
type usageError struct{ text string }

var _ error = (*usageError)(nil)

func (e *usageError) Error() string { return e.text }

// arguments wants n arguments, none of them a token. Cobra's own checks have the
// arguments in the texts of their errors.
func arguments(n int, otherwise string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		for _, arg := range args {
			if strings.Contains(arg, "PushToken[") {
				return &usageError{"a token on the command line stays in the shell's history and is seen by other " +
					"processes: pipe it into 'admin holder' instead"}
			}
		}
		if len(args) != n {
			return &usageError{otherwise}
		}
		return nil
	}
}

// terminal returns the file descriptor of f if that is a terminal.
func terminal(f any) (fd int, ok bool) {
	file, ok := f.(*os.File)
	if !ok {
		return 0, false
	}
	return int(file.Fd()), term.IsTerminal(int(file.Fd()))
}
