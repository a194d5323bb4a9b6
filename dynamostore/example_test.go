package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// throttledTable stands in for a DynamoDB that has had enough.
type throttledTable struct{}

func (throttledTable) Do(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusBadRequest,
		Header:     http.Header{"X-Amzn-Requestid": {"4KBNVRGD"}},
		Body:       io.NopCloser(strings.NewReader(`{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}`)),
	}, nil
}

// exampleClient would be dynamodb.NewFromConfig(cfg) in a program.
func exampleClient() *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:     "eu-central-1",
		HTTPClient: throttledTable{},
		Retryer:    aws.NopRetryer{},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "example", SecretAccessKey: "example"}, nil
		}),
	})
}

// New checks its arguments and makes no request.
func ExampleNew() {
	_, err := dynamostore.New(exampleClient(), "", dynamostore.Options{Policy: store.Policy{MaxDevices: 5000}})
	fmt.Println(err)
	// Output:
	// dynamostore: the table has no name
	// store: Policy.MaxDevices is 5000, want 1 to 1000
}

// An observer turns each call into a line of a log, or into metrics.
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

// The caller acts on the sentinel. The rest is for logs: the text of the error
// has neither keys nor tokens.
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
	// UpdateItem ThrottlingException 4KBNVRGD
	// dynamostore: UpdateItem: ThrottlingException (request 4KBNVRGD): store: try again
}
