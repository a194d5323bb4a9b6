// Package dynamotest connects tests to DynamoDB Local. It has clients whose requests
// a test can observe or disturb, a new table for each test, and a scan of all items.
package dynamotest

import (
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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

// Endpoint returns the value of DYNAMODB_ENDPOINT, or else the URL of the shared DynamoDB
// Local. The latter accepts any credentials, and has separate tables for each pair of
// region and access key.
func Endpoint(tb testing.TB) string {
	tb.Helper()
	return dynamoDBLocal.URL(tb)
}

//go:embed pom.xml
var pom string

var dynamoDBLocal = &Engine{
	Name:     "DynamoDB",
	Variable: "DYNAMODB_ENDPOINT",
	Target:   "dynamodb-local",
	Pom:      pom,
	Programs: []string{"java", "sh"},
	Format:   "http://%s",
	Command: func(lib, _, address string) (*exec.Cmd, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		// Without Java's second compiler, and with one thread for the garbage, the
		// engine takes half the processor time in runs of minutes.
		return exec.Command("java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.library.path="+lib, "-cp", filepath.Join(lib, "*"),
			"software.amazon.dynamodb.services.local.main.ServerRunner", "-disableTelemetry", "-inMemory", "-port", port), nil
	},
	Answers: answers,
	Taken:   "Failed to bind",
	Signal:  "KILL",
}

// answers reports whether a DynamoDB answers at the address. It refuses an unsigned
// request with an error of its own.
func answers(address string) bool {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + address)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	return err == nil && strings.Contains(string(text), "MissingAuthenticationToken")
}

// Client returns a client of DynamoDB Local that sends through the transport, or a shared
// one if nil. Without an engine it skips the test, or fails it in CI.
func Client(t testing.TB, through http.RoundTripper, more ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	if through == nil {
		through = transport
	}
	return client(Endpoint(t), through, more)
}

// Offline returns a client without a network, which the transport answers.
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

var transport http.RoundTripper = &http.Transport{MaxIdleConnsPerHost: 64}

// NoRetries turns the SDK's retries off.
func NoRetries(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

// Retries gives the SDK its default of three attempts, without waits between them.
func Retries(o *dynamodb.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
}

// Table creates a table with a new name, and deletes it after the test.
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

// Backend has stores on DynamoDB Local for storetest, each on a table of its own. Their
// errors and events are searched for tokens and user ids.
var Backend = storetest.Backend{
	New: func(t testing.TB, p store.Policy) store.Store {
		return handle(t, Table(t, Client(t, nil)), p)
	},
	Again: func(t testing.TB, s store.Store, p store.Policy) store.Store {
		return handle(t, tableOf(s), p)
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

// Discreet returns an observer that fails the test if an event contains a user id or a
// token, except in Corrupt.
func Discreet(t testing.TB, trace *leak.Trace) func(store.Event) {
	return func(e store.Event) {
		e.Corrupt, e.Duration = nil, 0 // digits of a duration may be those of a short token
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

func tableOf(s store.Store) string {
	table, _ := tables.Load(s)
	return table.(string)
}

func walker(t testing.TB, s store.Store) store.Walker {
	t.Helper()
	w, err := dynamostore.NewWalker(Client(t, nil), tableOf(s))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// corrupt gives the row a platform that is not a string.
func corrupt(t testing.TB, s store.Store, key tokens.Key) {
	t.Helper()
	_, err := Client(t, nil).UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName:                 aws.String(tableOf(s)),
		Key:                       KeyItem(key),
		UpdateExpression:          aws.String("SET platform = :bad"),
		ExpressionAttributeValues: Item{":bad": &types.AttributeValueMemberBOOL{Value: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Scan returns all items of the table, claims too, in the order of their keys.
func Scan(t testing.TB, c *dynamodb.Client, table string) []Item {
	t.Helper()
	var items []Item
	pages := dynamodb.NewScanPaginator(c, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, page.Items...)
	}
	slices.SortFunc(items, func(a, b Item) int { return strings.Compare(keyText(a), keyText(b)) })
	return items
}
