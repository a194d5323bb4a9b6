package dynamostore_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamodblocal"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/store/storetest"
)

// newClient returns a client of DynamoDB Local that sends through transport, the
// default one if nil.
func newClient(t testing.TB, transport http.RoundTripper, more ...func(*dynamodb.Options)) *dynamodb.Client {
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

// newTable creates a table with a name of its own.
func newTable(t testing.TB, c *dynamodb.Client) string {
	t.Helper()
	table := "test-" + rand.Text()
	if err := dynamostore.CreateTable(t.Context(), c, table); err != nil {
		t.Fatal(err)
	}
	return table
}

func newStore(t testing.TB, c dynamostore.Client, table string, opts dynamostore.Options) *dynamostore.Store {
	t.Helper()
	s, err := dynamostore.New(c, table, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var backend = storetest.Backend{
	New: func(t testing.TB, p store.Policy) store.Store {
		c := newClient(t, nil)
		return newStore(t, c, newTable(t, c), dynamostore.Options{Policy: p})
	},
	LooseLimit: true, LooseHolder: true, LooseList: true,
}

func TestStore(t *testing.T) { storetest.Run(t, backend) }

