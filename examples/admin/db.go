package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/examples/internal/awsenv"
	"github.com/devicetokens/devicetokens/examples/internal/database"
	"github.com/devicetokens/devicetokens/store"
)

const (
	envTable = "DEVICE_TOKEN_TABLE_NAME"

	schemeDynamoDB = "dynamodb"
)

// A walkedStore is a store that is its own walker.
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
	if name == "" {
		return nil, errNoStore
	}
	if name == database.Memory {
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

func (p *program) options() database.Options {
	return database.Options{Region: p.region, Endpoint: p.endpoint, Transport: p.transport}
}

var errNoStore = &usageError{"no store: use --db with " + database.Names + ", or set " + envTable}

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

// openTwo opens the stores of --from and --to.
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
	if err != nil {
		return nil, usageOf(err)
	}
	return client, nil
}
