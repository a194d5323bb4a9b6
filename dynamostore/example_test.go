package dynamostore_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// exampleClient stands for dynamodb.NewFromConfig(cfg). Its table is throttled.
func exampleClient() *dynamodb.Client {
	return dynamotest.Offline(dynamotest.Script(failure(400, "ThrottlingException")), dynamotest.NoRetries)
}

// An observer may write each call to a log or into metrics.
func ExampleOptions_observe() {
	s, err := dynamostore.New(exampleClient(), "device-tokens", dynamostore.Options{
		Observe: func(e store.Event) {
			fmt.Printf("%s: %s after %d call\n", e.Operation, e.Outcome, e.Calls)
		},
	})
	if err != nil {
		panic(err)
	}
	_, _ = s.List(context.Background(), "user-1")
	// Output: list: try_again after 1 call
}

// The caller acts on the sentinel. The text is for logs, and has no keys or tokens.
func ExampleCallError() {
	s, err := dynamostore.New(exampleClient(), "device-tokens", dynamostore.Options{})
	if err != nil {
		panic(err)
	}
	err = s.Deactivate(context.Background(), tokens.Key{UserID: "user-1", DeviceID: "phone"})
	fmt.Println("answer 503 with Retry-After:", errors.Is(err, store.ErrTryAgain))

	var call *dynamostore.CallError
	if errors.As(err, &call) {
		fmt.Println(call.Call, call.Code, call.RequestID)
	}
	fmt.Println(err)
	// Output:
	// answer 503 with Retry-After: true
	// UpdateItem ThrottlingException 4KBNVRGDTESTREQUEST
	// dynamostore: UpdateItem: ThrottlingException (request 4KBNVRGDTESTREQUEST): store: try again
}
