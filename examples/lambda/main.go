// Command lambda is the Lambda function that infrastructure/ deploys: package httpapi
// on DynamoDB, behind API Gateway. Only this file imports the AWS SDK.
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

// tryTimeout is the time limit of one attempt of a DynamoDB call. It leaves time for
// another attempt if the connection died while the environment was frozen.
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
			if n := len(e.Corrupt); n > 0 { // the keys contain user ids and are not logged
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

// newClient configures the SDK from Lambda's variables and from the variables for an
// emulator. The SDK's config package would read more sources and slow down the start.
func newClient(getenv func(string) string) *dynamodb.Client {
	opts := dynamodb.Options{
		Region:     getenv("AWS_REGION"),
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(tryTimeout),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{ // Lambda ends an environment before the role's credentials expire
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
