// Package dynamotest connects tests to DynamoDB Local. It has clients whose requests
// a test can observe or disturb, a new table for each test, and a scan of all items.
package dynamotest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/store/storetest"
	"github.com/devicetokens/devicetokens/tokens"
)

// Client returns a client of DynamoDB Local that sends through the transport, a
// shared one if nil. Without an engine it skips the test, or fails it in CI.
func Client(t testing.TB, through http.RoundTripper, more ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	if through == nil {
		through = transport
	}
	return client(Endpoint(t), through, more)
}

// ClientAt returns a client of the DynamoDB at the endpoint.
func ClientAt(endpoint string, more ...func(*dynamodb.Options)) *dynamodb.Client {
	return client(endpoint, transport, more)
}

// Offline returns a client that has only the transport to answer it, and no
// network.
func Offline(through http.RoundTripper, more ...func(*dynamodb.Options)) *dynamodb.Client {
	return client("http://dynamodb.invalid", through, more)
}

func client(endpoint string, through http.RoundTripper, more []func(*dynamodb.Options)) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       "us-east-1",
		BaseEndpoint: &endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
		HTTPClient: &http.Client{Transport: through},
	}, more...)
}

// transport keeps as many connections to DynamoDB Local as parallel tests use.
var transport http.RoundTripper = &http.Transport{MaxIdleConnsPerHost: 64}

// NoRetries turns the SDK's own retries off.
func NoRetries(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

// Retries turns the SDK's own retries on, three attempts as by default, and its
// waits between them off.
func Retries(o *dynamodb.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
}

// Table creates a table with a name of its own, which is deleted after the test:
// the engine outlives it.
func Table(t testing.TB, c *dynamodb.Client) string {
	t.Helper()
	table := "test-" + rand.Text()
	if err := dynamostore.CreateTable(t.Context(), c, table); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test may have deleted it, or broken its connection.
		_, _ = c.DeleteTable(context.WithoutCancel(t.Context()), &dynamodb.DeleteTableInput{TableName: &table})
	})
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
// suite that every store passes. What its errors and events say is looked
// through for tokens and user ids.
var Backend = storetest.Backend{
	New: func(t testing.TB, p store.Policy) store.Store {
		return handle(t, Table(t, Client(t, nil)), p)
	},
	Again: func(t testing.TB, s store.Store, p store.Policy) store.Store {
		table, _ := tables.Load(s)
		return handle(t, table.(string), p)
	},
	LooseLimit: true, LooseHolder: true, LooseList: true,
	Inspector: true, Importer: true, Walker: walker,
	Corrupt: corrupt,
}

func handle(t testing.TB, table string, p store.Policy) store.Store {
	t.Helper()
	var trace leak.Trace
	s := leak.Store(t, Store(t, Client(t, nil), table, dynamostore.Options{Policy: p, Observe: Discreet(t, &trace)}), &trace)
	tables.Store(s, table)
	return s
}

// Discreet returns an observer that fails the test if an event contains a user id or
// a token outside Corrupt.
func Discreet(t testing.TB, trace *leak.Trace) func(store.Event) {
	return func(e store.Event) {
		e.Corrupt = nil
		text := fmt.Sprintf("%+v", e)
		if e.Err != nil {
			text += leak.Printed(e.Err)
		}
		if what := trace.Find(text); what != "" {
			t.Errorf("the event of a %s shows %s", e.Operation, what)
		}
	}
}

// tables has the table of each store that Backend made.
var tables sync.Map

// walker returns a new walker over the store's table.
func walker(t testing.TB, s store.Store) store.Walker {
	t.Helper()
	table, _ := tables.Load(s)
	w, err := dynamostore.NewWalker(Client(t, nil), table.(string))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// corrupt gives the row a platform that is no string.
func corrupt(t testing.TB, s store.Store, key tokens.Key) {
	t.Helper()
	table, _ := tables.Load(s)
	_, err := Client(t, nil).UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String(table.(string)),
		Key: map[string]types.AttributeValue{
			"userId":   &types.AttributeValueMemberS{Value: string(key.UserID)},
			"deviceId": &types.AttributeValueMemberS{Value: string(key.DeviceID)},
		},
		UpdateExpression:          aws.String("SET platform = :bad"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":bad": &types.AttributeValueMemberBOOL{Value: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
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
