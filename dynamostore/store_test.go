package dynamostore_test

import (
	"errors"
	"flag"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/store/storetest"
)

var long = flag.Bool("long", false, "run all cases of the tests that run a sample by default")

// TestStore runs two checks of the suite at a time, on tables of their own.
func TestStore(t *testing.T) {
	b := dynamotest.Backend
	b.Long = *long
	b.New = func(t testing.TB, p store.Policy) store.Store {
		t.(*testing.T).Parallel()
		return dynamotest.Backend.New(t, p)
	}
	storetest.Run(t, b)
}

// TestNew names every argument that is out of range, and makes no request.
func TestNew(t *testing.T) {
	client := dynamotest.Offline(dynamotest.Transport(func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return nil, errors.New("offline")
	}))
	dynamotest.Store(t, client, "arn:aws:dynamodb:eu-central-1:123456789012:table/t", dynamostore.Options{})
	dynamotest.Store(t, client, "table", dynamostore.Options{MaxAttempts: 4})
	names := func(err error, want ...string) {
		t.Helper()
		for _, name := range want {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("the error %v does not name %s", err, name)
			}
		}
	}
	_, err := dynamostore.New(nil, "", dynamostore.Options{MaxAttempts: -1, Policy: store.Policy{TTL: -1, MaxDevices: -1}})
	names(err, "client", "table", "MaxAttempts", "TTL", "MaxDevices")
	_, err = dynamostore.New(client, "table", dynamostore.Options{MaxAttempts: 3})
	names(err, "MaxAttempts")
	_, err = dynamostore.NewWalker(nil, "")
	names(err, "client", "table")
	_, err = dynamostore.Upgrade(t.Context(), dynamodb.New(dynamodb.Options{}), "", dynamostore.UpgradeOptions{
		Segments: 257, RowsPerSecond: -1, PageSize: -1, Resume: "?", Policy: store.Policy{TTL: 1},
	})
	names(err, "Segments", "RowsPerSecond", "PageSize", "Resume", "TTL", "table")
}

// TestCreateTable: the calls need exactly the documented IAM actions, and a second
// CreateTable does not change the table.
func TestCreateTable(t *testing.T) {
	var recorder dynamotest.Recorder
	table := dynamotest.Table(t, dynamotest.Client(t, &recorder))
	w := worldOn(t, dynamotest.Client(t, nil), table, store.Policy{})
	wantActions(t, []string{"CreateTable", "DescribeTable", "UpdateTimeToLive"}, recorder.Calls())
	w.register(alice, tokenA)
	err := dynamostore.CreateTable(t.Context(), w.client, w.table)
	var inUse *types.ResourceInUseException
	if !errors.As(err, &inUse) {
		t.Errorf("CreateTable: %v, want a ResourceInUseException", err)
	}
	w.look()
	w.holds(alice, tokenA)
}

// TestCreateTableFails at each of its calls.
func TestCreateTableFails(t *testing.T) {
	active := answered(`{"Table":{"TableStatus":"ACTIVE"}}`)
	for n := range 3 {
		script := append(slices.Repeat([]answer{active}, n), failure(400, "AccessDeniedException"))
		err := dynamostore.CreateTable(t.Context(), dynamotest.Offline(dynamotest.Script(script...), dynamotest.NoRetries), "table")
		if err == nil || !strings.Contains(err.Error(), "AccessDeniedException") {
			t.Errorf("call %d: CreateTable: %v", n+1, err)
		}
	}
}
