package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/examples/internal/awsenv"
	"github.com/devicetokens/devicetokens/store"
)

const (
	envTable = "DEVICE_TOKEN_TABLE_NAME"

	schemeDynamoDB = "dynamodb"
)

// A database is a store that a flag names, and the walk over it.
type database struct {
	name   string // as in the flag
	store  store.Store
	walker store.Walker
}

// A walkedStore is a store that is its own walker.
type walkedStore interface {
	store.Store
	store.Walker
}

// open returns the store with that name. This is the one place that tells the
// kinds of stores apart.
func (p *program) open(ctx context.Context, name string) (database, error) {
	if s, ok := p.stores[name]; ok {
		return database{name, s, s}, nil
	}
	client, table, err := p.dynamo(ctx, name)
	if err != nil {
		return database{}, err
	}
	s, err := dynamostore.New(client, table, dynamostore.Options{})
	if err != nil {
		return database{}, err
	}
	w, err := dynamostore.NewWalker(client, table)
	return database{name, s, w}, err
}

// dynamo returns a client of DynamoDB, by the SDK's environment and the flags, and
// the name of the table.
func (p *program) dynamo(ctx context.Context, name string) (*dynamodb.Client, string, error) {
	scheme, table, _ := strings.Cut(name, ":")
	switch {
	case name == "":
		return nil, "", &usageError{"which store? --db dynamodb:TABLE names it, or the table in " + envTable}
	case scheme != schemeDynamoDB || table == "":
		return nil, "", &usageError{"no store has such a name: use dynamodb:TABLE"}
	}
	cfg, err := awsenv.Load(ctx, p.region)
	switch {
	case errors.Is(err, awsenv.ErrNoRegion):
		return nil, "", &usageError{"which region? --region names it, or AWS_REGION"}
	case err != nil:
		return nil, "", err
	}
	return dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		if p.endpoint != "" {
			o.BaseEndpoint = &p.endpoint
		}
		if p.transport != nil {
			o.HTTPClient = &http.Client{Transport: p.transport}
		}
	}), table, nil
}

// openTwo opens the stores of --from and --to.
func (p *program) openTwo(ctx context.Context, from, to string) (source, target database, err error) {
	if from == "" || to == "" || from == to {
		return source, target, &usageError{"--from and --to name two stores, such as dynamodb:TABLE"}
	}
	if source, err = p.open(ctx, from); err != nil {
		return source, target, fmt.Errorf("--from: %w", err)
	}
	if target, err = p.open(ctx, to); err != nil {
		return source, target, fmt.Errorf("--to: %w", err)
	}
	return source, target, nil
}

// client returns a client of the table that --db names, for the commands that are
// about a table of DynamoDB, and sets p.table to its name.
func (p *program) client(ctx context.Context) (*dynamodb.Client, error) {
	client, table, err := p.dynamo(ctx, p.db)
	p.table = table
	return client, err
}
