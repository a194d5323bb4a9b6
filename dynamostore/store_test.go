package dynamostore_test

import (
	"errors"
	"flag"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

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
	all := dynamostore.Options{
		Policy:      store.Policy{TTL: store.MinTTL, MaxDevices: 1, Now: time.Now},
		MaxAttempts: 4, Observe: func(store.Event) {},
	}
	for _, opts := range []dynamostore.Options{{}, all} {
		if s, err := dynamostore.New(client, "arn:aws:dynamodb:eu-central-1:123456789012:table/t", opts); err != nil || s == nil {
			t.Errorf("New: %v", err)
		}
	}
	names := func(s any, err error, want ...string) {
		t.Helper()
		if err == nil || !reflect.ValueOf(s).IsNil() {
			t.Fatalf("got %v and error %v", s, err)
		}
		for _, name := range want {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("the error %q does not name %s", err, name)
			}
		}
	}
	s, err := dynamostore.New(nil, "", dynamostore.Options{MaxAttempts: -1, Policy: store.Policy{TTL: -1, MaxDevices: -1}})
	names(s, err, "client", "table", "MaxAttempts", "TTL", "MaxDevices")
	s, err = dynamostore.New(client, "table", dynamostore.Options{MaxAttempts: 3})
	names(s, err, "MaxAttempts")
	w, err := dynamostore.NewWalker(nil, "")
	names(w, err, "client", "table")
}

// TestCreateTable: the calls need exactly the documented IAM actions, and a second
// CreateTable does not change the table.
func TestCreateTable(t *testing.T) {
	var recorder dynamotest.Recorder
	table := dynamotest.Table(t, dynamotest.Client(t, &recorder))
	w := worldOn(t, dynamotest.Client(t, nil), table, store.Policy{})
	wantActions(t, dynamotest.TableActions, recorder.Calls())
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
	for _, operation := range []string{"CreateTable", "DescribeTable", "UpdateTimeToLive"} {
		t.Run(operation, func(t *testing.T) {
			c := dynamotest.Offline(dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
				if dynamotest.Operation(r) == operation {
					return dynamotest.Failure(r, 400, "AccessDeniedException", "no"), nil
				}
				return dynamotest.Answer(r, 200, `{"Table":{"TableStatus":"ACTIVE"}}`), nil
			}), dynamotest.NoRetries)
			err := dynamostore.CreateTable(t.Context(), c, "table")
			if err == nil || !strings.Contains(err.Error(), "AccessDeniedException") {
				t.Errorf("CreateTable: %v", err)
			}
		})
	}
}
