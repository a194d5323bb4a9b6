// Command lambda is the function that infrastructure/ deploys: package httpapi on
// DynamoDB, behind API Gateway. This file puts the parts together, and is the one
// that knows the AWS SDK.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/examples/lambda/internal/function"
	"github.com/devicetokens/devicetokens/store"
)

// tryTimeout is what one try of a call of DynamoDB may take. A connection that
// died while the environment was frozen is given up early enough for another try.
const tryTimeout = 3 * time.Second

func main() {
	if err := run(); err != nil {
		function.NewLogger(os.Stdout, slog.LevelError).Error("start", "error", err.Error())
		os.Exit(1)
	}
}

func run() error {
	cfg, err := function.ConfigFromEnv(os.Getenv)
	if err != nil {
		return err
	}
	logger := function.NewLogger(os.Stdout, cfg.LogLevel)
	s, err := dynamostore.New(newClient(os.Getenv), cfg.Table, dynamostore.Options{
		Policy: cfg.Policy,
		Observe: func(e store.Event) {
			if n := len(e.Corrupt); n > 0 { // their keys name users
				logger.Warn("rows that cannot be decoded", "count", n, "operation", string(e.Operation))
			}
		},
	})
	if err != nil {
		return err
	}
	f, err := function.New(cfg, s, os.Stdout)
	if err != nil {
		return err
	}
	lambda.Start(f)
	return nil // not reached: Start ends the process
}

// newClient reads what Lambda sets, and what names an emulator. The SDK's config
// package would read it too, and much that a function does not have; the README
// says what it would cost.
func newClient(getenv func(string) string) *dynamodb.Client {
	opts := dynamodb.Options{
		Region:     getenv("AWS_REGION"),
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(tryTimeout),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{ // of the function's role; Lambda ends an environment before they expire
				AccessKeyID:     getenv("AWS_ACCESS_KEY_ID"),
				SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
				SessionToken:    getenv("AWS_SESSION_TOKEN"),
				Source:          "environment",
			}, nil
		}),
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"} {
		if endpoint := getenv(name); endpoint != "" {
			opts.BaseEndpoint = aws.String(endpoint)
			break
		}
	}
	return dynamodb.New(opts)
}
