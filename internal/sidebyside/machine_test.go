package sidebyside

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// start is far ahead: DynamoDB Local removes what is expired by its own clock.
var start = time.Date(2051, time.March, 4, 23, 6, 7, 891_234_567, time.UTC)

// The limit is small enough to be reached, and the TTL as short as it may be.
var policy = store.Policy{TTL: store.MinTTL, MaxDevices: 2}

// A machine is the two stores in one state.
type machine struct {
	model, real store.Store
	now         time.Time
	latest      time.Time   // the clock was never ahead of it
	expiries    []time.Time // that registrations ever had

	client *dynamodb.Client
	table  string
}

// newMachine makes both stores, empty. The table is there until remove.
func newMachine(t *rapid.T, tb testing.TB, client *dynamodb.Client) *machine {
	m := &machine{now: start, latest: start, client: client, table: dynamotest.Table(tb, client)}
	p := policy
	p.Now = func() time.Time { return m.now }
	m.model = memstore.MustNew(p)
	var err error
	if m.real, err = dynamostore.New(client, m.table, dynamostore.Options{Policy: p}); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *machine) remove(t *rapid.T) {
	if _, err := m.client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &m.table}); err != nil {
		t.Fatal(err)
	}
}

// same makes a call on both stores, and fails unless they answer alike.
func (m *machine) same(t *rapid.T, call func(context.Context, store.Store) (any, error)) (answer any, err error) {
	ctx := context.Background()
	if seldom(t, "context is done") {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		cancel()
	}
	want, wantErr := call(ctx, m.model)
	got, gotErr := call(ctx, m.real)
	if diff := cmp.Diff(describe(wantErr), describe(gotErr)); diff != "" {
		t.Fatalf("error %v, want %v (-want +got):\n%s", gotErr, wantErr, diff)
	}
	if diff := cmp.Diff(want, got, exactly); diff != "" && gotErr == nil {
		t.Fatalf("answer (-want +got):\n%s", diff)
	}
	total.Compared++
	return want, wantErr
}

// exactly tells two spellings of one token apart: each store has to answer with
// the one that the app used last.
var exactly = cmp.Comparer(func(a, b tokens.Token) bool { return shape(a) == shape(b) && a.Equal(b) })

// describe is what a caller learns from an error.
func describe(err error) []string {
	if err == nil {
		return nil
	}
	var found []string
	for _, sentinel := range []error{store.ErrNotFound, store.ErrTryAgain, store.ErrMisconfigured, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, sentinel) {
			found = append(found, sentinel.Error())
		}
	}
	var invalid *tokens.InvalidError
	if errors.As(err, &invalid) {
		found = append(found, fmt.Sprint(invalid.Fields))
	}
	if len(found) == 0 {
		found = append(found, "something else: "+err.Error())
	}
	return found
}

// step moves the clock.
func (m *machine) step(by time.Duration) {
	m.now = m.now.Add(by)
	if m.now.After(m.latest) {
		m.latest = m.now
	}
	for _, e := range m.expiries {
		if e.After(m.now) && !e.After(m.latest) {
			m.now = e // it stays expired
		}
	}
}

// expired returns the keys of the items that DynamoDB's TTL might remove now.
func (m *machine) expired(tb testing.TB) []dynamotest.Item {
	var keys []dynamotest.Item
	for _, i := range dynamotest.Scan(tb, m.client, m.table) {
		if seconds(i) <= m.now.Unix() {
			keys = append(keys, dynamotest.Item{"userId": i["userId"], "deviceId": i["deviceId"]})
		}
	}
	slices.SortFunc(keys, byKey)
	return keys
}
