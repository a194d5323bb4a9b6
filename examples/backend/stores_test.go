package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/sqlstore"
	"github.com/devicetokens/devicetokens/tokens"
)

// The code of docs/stores.md, besides that of main.go.

func openSQLite(ctx context.Context, file string) (*sqlstore.Store, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(8)
	s, err := sqlstore.New(db, sqlstore.SQLite(nil), sqlstore.Options{})
	if err != nil {
		return nil, err
	}
	return s, s.CreateTable(ctx)
}

func openDynamoDB(ctx context.Context, table string) (*dynamostore.Store, error) {
	cfg, err := config.LoadDefaultConfig(ctx) // region, credentials and endpoint of the environment
	if err != nil {
		return nil, err
	}
	client := dynamodb.NewFromConfig(cfg)
	err = dynamostore.CreateTable(ctx, client, table) // local work only: use Terraform on AWS
	var exists *types.ResourceInUseException
	if err != nil && !errors.As(err, &exists) {
		return nil, err
	}
	return dynamostore.New(client, table, dynamostore.Options{})
}

func TestOpenSQLite(t *testing.T) {
	s, err := openSQLite(t.Context(), filepath.Join(t.TempDir(), "tokens.db"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.List(t.Context(), "alice"); err != nil || len(got) != 0 {
		t.Errorf("List returned %v, %v", got, err)
	}
}

func TestOpenDynamoDB(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamotest.Endpoint(t))
	t.Setenv("AWS_REGION", "local")
	t.Setenv("AWS_ACCESS_KEY_ID", "local")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "local")
	table := "backend-" + rand.Text()
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := dynamodb.NewFromConfig(cfg).DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &table})
		if err != nil {
			t.Error(err)
		}
	})
	for range 2 { // the second time, the table exists
		s, err := openDynamoDB(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(t.Context(), tokens.Key{UserID: "alice", DeviceID: "phone-1"}); err != nil {
			t.Error(err)
		}
	}
}
