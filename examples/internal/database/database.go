// Package database opens the store that a -db flag names.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver of SQLite, without C

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/examples/internal/awsenv"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/store"
)

// Names lists the forms of a store's name, for the help text of a flag.
const Names = "dynamodb:TABLE, a postgres:// URL, or a file of SQLite"

// Memory is the name of a store in memory. Its registrations are lost when the
// process ends.
const Memory = "memory"

// ErrName means that a store's name has none of the valid forms.
var ErrName = errors.New("unknown kind of store: use " + Names)

// Options are how a store is opened. The zero value works.
type Options struct {
	Policy store.Policy

	// Create creates the SQLite file and the table of SQLite or PostgreSQL if they
	// do not exist. Without it, a missing file is an error.
	Create bool

	Region, Endpoint string // of DynamoDB; "" is the environment's
	Transport        http.RoundTripper
}

// A Database is an open store and the walk over it.
type Database struct {
	Name   string // for display: without a password, and with the full path of a file
	Store  store.Store
	Walker store.Walker
	close  func() error
}

// Close closes the connections.
func (d *Database) Close() error {
	if d.close == nil {
		return nil
	}
	return d.close()
}

// Open opens the named store. The name has one of the forms of [Names].
func Open(ctx context.Context, name string, o Options) (*Database, error) {
	scheme, rest, hasScheme := strings.Cut(name, ":")
	switch {
	case name == Memory:
		s, err := memstore.New(o.Policy)
		return &Database{Name: Memory, Store: s, Walker: s}, err
	case scheme == "dynamodb" && rest != "":
		return openDynamoDB(ctx, rest, o)
	case scheme == "postgres" || scheme == "postgresql":
		return openPostgres(ctx, name, o)
	case name == "" || hasScheme && len(scheme) > 1: // one letter is a drive of Windows
		return nil, ErrName
	}
	return openSQLite(ctx, name, o)
}

// Client returns a DynamoDB client, configured by the SDK's environment and o.
func (o Options) Client(ctx context.Context) (*dynamodb.Client, error) {
	cfg, err := awsenv.Load(ctx, o.Region)
	if err != nil {
		return nil, err
	}
	return dynamodb.NewFromConfig(cfg, func(d *dynamodb.Options) {
		if o.Endpoint != "" {
			d.BaseEndpoint = &o.Endpoint
		}
		if o.Transport != nil {
			d.HTTPClient = &http.Client{Transport: o.Transport}
		}
	}), nil
}

func openDynamoDB(ctx context.Context, table string, o Options) (*Database, error) {
	client, err := o.Client(ctx)
	if err != nil {
		return nil, err
	}
	s, err := dynamostore.New(client, table, dynamostore.Options{Policy: o.Policy})
	if err != nil {
		return nil, err
	}
	w, err := dynamostore.NewWalker(client, table)
	return &Database{Name: "dynamodb:" + table, Store: s, Walker: w}, err
}

const (
	// PostgreSQL's own default allows 100 connections to all of its clients.
	postgresConnections = 20
	sqliteConnections   = 8
)

func openPostgres(ctx context.Context, text string, o Options) (*Database, error) {
	config, err := pgx.ParseConfig(text)
	if err != nil {
		return nil, errors.New("the postgres:// URL is invalid: use postgres://USER@HOST:PORT/DATABASE, and PGPASSWORD or a .pgpass file for the password")
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(postgresConnections)
	db.SetMaxIdleConns(postgresConnections)
	at := url.URL{Scheme: "postgres", Host: fmt.Sprintf("%s:%d", config.Host, config.Port), Path: config.Database}
	return open(ctx, db, sqlstore.Postgres(), at.String(), o)
}

func openSQLite(ctx context.Context, path string, o Options) (*Database, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	flags := os.O_RDWR
	if o.Create {
		flags |= os.O_CREATE
	}
	// Tokens are credentials, so only the owner may read the file. SQLite gives its
	// other files the same mode.
	file, err := os.OpenFile(path, flags, 0o600)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !o.Create:
		return nil, fmt.Errorf("no such file: %s (for a DynamoDB table, use dynamodb:TABLE)", path)
	case err != nil:
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	at := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"}
	db, err := sql.Open("sqlite", at.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(sqliteConnections)
	db.SetMaxIdleConns(sqliteConnections)
	return open(ctx, db, sqlstore.SQLite(nil), path, o)
}

func open(ctx context.Context, db *sql.DB, d sqlstore.Dialect, name string, o Options) (*Database, error) {
	s, err := sqlstore.New(db, d, sqlstore.Options{Policy: o.Policy})
	if err == nil && o.Create {
		err = create(ctx, s)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Database{Name: name, Store: s, Walker: s, close: db.Close}, nil
}

// create creates the table if it does not exist. It checks first, because a service
// may lack the permission to create tables.
func create(ctx context.Context, s *sqlstore.Store) error {
	_, _, err := s.Page(ctx, "", 1)
	if errors.Is(err, store.ErrMisconfigured) {
		return s.CreateTable(ctx)
	}
	return err
}
