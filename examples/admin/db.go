package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/spf13/cobra"

	"github.com/devicetokens/devicetokens/examples/internal/awsenv"
	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/store"
)

const (
	envTable = "DEVICE_TOKEN_TABLE_NAME"

	schemeDynamoDB = "dynamodb"
)

type walkedStore interface {
	store.Store
	store.Walker
}

// open opens the named store. With create, it creates the SQLite file and the table
// of SQLite or PostgreSQL if they do not exist.
func (p *program) open(ctx context.Context, name string, create bool) (*database.Database, error) {
	if s, ok := p.stores[name]; ok {
		return &database.Database{Name: name, Store: s, Walker: s}, nil
	}
	switch name {
	case "":
		return nil, errNoStore
	case database.Memory:
		return nil, usageOf(database.ErrName)
	}
	options := p.options()
	options.Create = create
	db, err := database.Open(ctx, name, options)
	if err != nil {
		return nil, usageOf(err)
	}
	p.closing = append(p.closing, db.Close)
	return db, nil
}

// onStore returns a command's function that opens the store of --db.
func (p *program) onStore(run func(context.Context, *database.Database, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		db, err := p.open(cmd.Context(), p.db, false)
		if err != nil {
			return err
		}
		return run(cmd.Context(), db, args)
	}
}

func (p *program) openTwo(ctx context.Context, from, to string, create bool) (source, target *database.Database, err error) {
	if from == "" || to == "" || from == to {
		return source, target, &usageError{"--from and --to must be two stores: " + database.Names}
	}
	if source, err = p.open(ctx, from, false); err != nil {
		return source, target, fmt.Errorf("--from: %w", err)
	}
	if target, err = p.open(ctx, to, create); err != nil {
		return source, target, fmt.Errorf("--to: %w", err)
	}
	return source, target, nil
}

// client returns a client for the DynamoDB table in --db, and sets p.table to its
// name. It is for commands that work only on DynamoDB.
func (p *program) client(ctx context.Context) (*dynamodb.Client, error) {
	scheme, table, _ := strings.Cut(p.db, ":")
	switch {
	case p.db == "":
		return nil, errNoStore
	case scheme != schemeDynamoDB || table == "":
		return nil, &usageError{"this command needs a DynamoDB table: use --db dynamodb:TABLE"}
	}
	p.table = table
	client, err := p.options().Client(ctx)
	return client, usageOf(err)
}

func (p *program) options() database.Options {
	return database.Options{Region: p.region, Endpoint: p.endpoint, Transport: p.transport}
}

var (
	errNoStore = &usageError{"no store: use --db with " + database.Names + ", or set " + envTable}
	errNothing = errors.New("nothing is stored") // its exit code is exitNothing
)

// usageOf returns a usageError for an error that the command line caused.
func usageOf(err error) error {
	switch {
	case errors.Is(err, awsenv.ErrNoRegion):
		return &usageError{"no AWS region: use --region or AWS_REGION"}
	case errors.Is(err, database.ErrName), errors.Is(err, fs.ErrNotExist):
		return &usageError{err.Error()}
	}
	return err
}

// again adds advice to an error of a write.
func again(err error) error {
	if errors.Is(err, store.ErrTryAgain) {
		return fmt.Errorf("the change may or may not have been applied, run the command again: %w", err)
	}
	return err
}

// hintFor returns advice for an error, or "".
func hintFor(err error) string {
	if network := awsenv.NetworkError(err); network != nil {
		return network.Error()
	}
	const undefinedTable = "42P01" // PostgreSQL's SQLSTATE
	if statement := (*sqlstore.StatementError)(nil); errors.As(err, &statement) && statement.Code == undefinedTable {
		return "the database has no table of registrations: create it with 'admin copy' or 'admin import'"
	}
	switch code := codeOf(err); {
	case code == "ResourceNotFoundException":
		return noSuchTable
	case accessDenied(code):
		return "run 'admin doctor' to check the permissions of this identity"
	}
	return ""
}

const noAnswer = "no response"

// codeOf returns DynamoDB's code for an error, or noAnswer.
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return noAnswer
}
