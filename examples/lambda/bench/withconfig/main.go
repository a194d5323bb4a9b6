// Command withconfig is the function with a client that the SDK's config package
// makes, to measure what that costs.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/devicetokens/devicetokens/dynamostore"
	"github.com/devicetokens/devicetokens/examples/lambda/internal/function"
)

func main() {
	cfg, err := function.ConfigFromEnv(os.Getenv)
	if err != nil {
		log.Fatal(err)
	}
	sdk, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	s, err := dynamostore.New(dynamodb.NewFromConfig(sdk), cfg.Table, dynamostore.Options{Policy: cfg.Policy})
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(function.New(cfg, s, os.Stdout))
}
