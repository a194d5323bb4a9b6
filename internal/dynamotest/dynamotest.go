// Package dynamotest connects tests to DynamoDB Local: clients whose requests a
// test can watch or disturb, tables of their own, and a look at all that is
// stored.
package dynamotest

import (
	"context"
	"crypto/rand"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamodblocal"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/store/storetest"
)

// Client returns a client of DynamoDB Local that sends through transport, the
// default one if nil. Without an engine it skips the test, or fails it in CI.
func Client(t testing.TB, transport http.RoundTripper, more ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	opts := dynamodb.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(dynamodblocal.Endpoint(t)),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	}
	if transport != nil {
		opts.HTTPClient = &http.Client{Transport: transport}
	}
	return dynamodb.New(opts, more...)
}

// NoRetries turns the SDK's own retries off.
func NoRetries(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

// Table creates a table with a name of its own.
func Table(t testing.TB, c *dynamodb.Client) string {
	t.Helper()
	table := "test-" + rand.Text()
	if err := dynamostore.CreateTable(t.Context(), c, table); err != nil {
		t.Fatal(err)
	}
	return table
}

// Store returns a store on the table.
func Store(t testing.TB, c dynamostore.Client, table string, opts dynamostore.Options) *dynamostore.Store {
	t.Helper()
	s, err := dynamostore.New(c, table, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Backend is a store on DynamoDB Local, each on a table of its own, for the
// suite that every store passes.
var Backend = storetest.Backend{
	New: func(t testing.TB, p store.Policy) store.Store {
		c := Client(t, nil)
		return Store(t, c, Table(t, c), dynamostore.Options{Policy: p})
	},
	LooseLimit: true, LooseHolder: true, LooseList: true,
}

// Scan returns everything that is stored in the table, claims too.
func Scan(t testing.TB, c *dynamodb.Client, table string) []map[string]types.AttributeValue {
	t.Helper()
	var items []map[string]types.AttributeValue
	pages := dynamodb.NewScanPaginator(c, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, page.Items...)
	}
	return items
}
