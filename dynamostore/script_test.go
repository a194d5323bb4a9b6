package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/internal/leak"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// offline returns a store whose requests are answered by the transport alone. The SDK does
// not retry, the store makes the fewest attempts, and last, if not nil, gets each event.
func offline(t testing.TB, transport http.RoundTripper, last *store.Event) *dynamostore.Store {
	t.Helper()
	c := dynamotest.Offline(transport, dynamotest.NoRetries)
	return dynamotest.Store(t, c, "table", dynamostore.Options{MaxAttempts: 4, Observe: func(e store.Event) {
		if last != nil {
			*last = e
		}
	}})
}

var methods = map[store.Operation]func(context.Context, store.Store) error{
	store.OpRegister: func(ctx context.Context, s store.Store) error {
		_, err := s.Register(ctx, requestFor(alice, tokenA))
		return err
	},
	store.OpGet:        func(ctx context.Context, s store.Store) error { _, err := s.Get(ctx, alice); return err },
	store.OpList:       func(ctx context.Context, s store.Store) error { _, err := s.List(ctx, "alice"); return err },
	store.OpHolder:     func(ctx context.Context, s store.Store) error { _, err := s.Holder(ctx, tokenA.Hash()); return err },
	store.OpDeactivate: func(ctx context.Context, s store.Store) error { return s.Deactivate(ctx, alice) },
	store.OpInvalidate: func(ctx context.Context, s store.Store) error {
		return s.Invalidate(ctx, alice, tokenA.Hash(), worldStart.Add(time.Hour))
	},
	store.OpDelete:     func(ctx context.Context, s store.Store) error { return s.Delete(ctx, alice) },
	store.OpDeleteUser: func(ctx context.Context, s store.Store) error { return s.DeleteUser(ctx, "alice") },
}

func reads(op store.Operation) bool {
	return op == store.OpGet || op == store.OpList || op == store.OpHolder
}

type answer = func(*http.Request) *http.Response

func failure(status int, code string) answer {
	return func(r *http.Request) *http.Response {
		return dynamotest.Failure(r, status, code, "not now, alice aaaaaaaa")
	}
}

// refused is the answer to an UpdateItem whose condition does not hold for the
// stored item.
func refused(i dynamotest.Item) answer {
	if i == nil {
		return failure(400, "ConditionalCheckFailedException")
	}
	return func(r *http.Request) *http.Response {
		return dynamotest.Answer(r, 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","Item":`+dynamotest.ItemJSON(i)+`}`)
	}
}

func canceled(reasons ...dynamotest.Reason) answer {
	return func(r *http.Request) *http.Response { return dynamotest.Cancellation(r, reasons...) }
}

func answered(body string) answer {
	return func(r *http.Request) *http.Response { return dynamotest.Answer(r, 200, body) }
}

var (
	// done answers a single write, or a Query that finds nothing.
	done = answered(`{"ConsumedCapacity":{"TableName":"table","CapacityUnits":1},"Items":[],"Count":0}`)
	// wrote answers a transaction.
	wrote = answered(`{"ConsumedCapacity":[{"TableName":"table","CapacityUnits":4}]}`)
)

func found(i dynamotest.Item) answer { return answered(`{"Item":` + dynamotest.ItemJSON(i) + `}`) }

// foundAll answers a TransactGetItems. An item that is nil does not exist.
func foundAll(items ...dynamotest.Item) answer {
	var texts []string
	for _, i := range items {
		text := "{}"
		if i != nil {
			text = `{"Item":` + dynamotest.ItemJSON(i) + `}`
		}
		texts = append(texts, text)
	}
	return answered(`{"Responses":[` + strings.Join(texts, ",") + `],"ConsumedCapacity":[{"TableName":"table","CapacityUnits":4}]}`)
}

// pageOf answers a Query or a Scan. The zero key means that it is the last page.
func pageOf(items []dynamotest.Item, next tokens.Key) answer {
	texts := []string{}
	for _, i := range items {
		texts = append(texts, dynamotest.ItemJSON(i))
	}
	body := fmt.Sprintf(`{"Items":[%s],"Count":%d,"ConsumedCapacity":{"CapacityUnits":2}`, strings.Join(texts, ","), len(texts))
	if !next.IsZero() {
		body += `,"LastEvaluatedKey":` + dynamotest.ItemJSON(keyItem(next))
	}
	return answered(body + "}")
}

// row returns a live registration as this package stores it.
func row(key tokens.Key, token tokens.Token) dynamotest.Item {
	return with(legacyRow(key, token), dynamotest.Item{
		"expiresAt":      num("4102444800"),
		"claimExpiresAt": num("4105036800"),
		"claimVersion":   str("version"),
	})
}

// claim returns a claim that names the owner. Its key has no token, because the
// store does not read the key of a claim.
func claim(owner tokens.Key) dynamotest.Item {
	return with(keyItem(key("#claim#1#", "#")), dynamotest.Item{
		"ownerUserId":   str(string(owner.UserID)),
		"ownerDeviceId": str(string(owner.DeviceID)),
		"version":       str("version"),
		"expiresAt":     num("4105036800"),
	})
}

// tryAgain fails unless the error is ErrTryAgain, has a CallError, and is discreet.
func tryAgain(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrTryAgain) {
		t.Fatalf("the error is %v, want ErrTryAgain", err)
	}
	var call *dynamostore.CallError
	if !errors.As(err, &call) {
		t.Errorf("the error %v has no CallError", err)
	}
	discreet(t, err)
}

// discreet fails if the error, printed with any verb, contains a key or a token, or if its
// text contains the message of the faked DynamoDB.
func discreet(t testing.TB, err error) {
	t.Helper()
	if what := newTrace().Find(leak.Printed(err)); what != "" {
		t.Errorf("the error shows %s", what)
	}
	for _, secret := range []string{string(bob.UserID), "not now"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the text of the error %q has %q", err, secret)
		}
	}
}

// sentinels fails unless want is the only sentinel that the error matches.
func sentinels(t testing.TB, err, want error) {
	t.Helper()
	if err == nil {
		t.Fatal("there is no error")
	}
	for _, sentinel := range []error{store.ErrTryAgain, store.ErrMisconfigured, store.ErrNotFound} {
		if errors.Is(err, sentinel) != (sentinel == want) {
			t.Errorf("the error %v matches %v: %v", err, sentinel, sentinel != want)
		}
	}
}
