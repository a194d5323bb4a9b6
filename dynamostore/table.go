package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A TableClient is what [CreateTable] asks of the AWS SDK. It is for a developer's
// machine and for tests; a service needs none of it.
type TableClient interface {
	CreateTable(context.Context, *dynamodb.CreateTableInput, ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error)
	DescribeTable(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
	UpdateTimeToLive(context.Context, *dynamodb.UpdateTimeToLiveInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error)
}

var _ TableClient = (*dynamodb.Client)(nil)

// tableTimeout is how long CreateTable waits for the table, if the context does
// not end sooner.
const tableTimeout = 2 * time.Minute

// CreateTable creates the table that a [Store] needs, for local work and tests:
// hash key userId, range key deviceId, no index, on-demand billing, and TTL on
// expiresAt. It returns when the table can be used. In production the Terraform
// under infrastructure/ makes the same table, with encryption, point-in-time
// recovery and deletion protection.
//
// A table of that name that exists already is an error that wraps
// [types.ResourceInUseException]; it is not looked at or changed.
func CreateTable(ctx context.Context, c TableClient, table string) error {
	if _, err := c.CreateTable(ctx, createTableInput(table)); err != nil {
		return fmt.Errorf("dynamostore: create table: %w", err)
	}
	waiter := dynamodb.NewTableExistsWaiter(c, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay = 20 * time.Millisecond
		o.MaxDelay = 5 * time.Second
	})
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &table}, tableTimeout); err != nil {
		return fmt.Errorf("dynamostore: wait for table: %w", errors.Join(ctx.Err(), err))
	}
	if _, err := c.UpdateTimeToLive(ctx, timeToLiveInput(table)); err != nil {
		return fmt.Errorf("dynamostore: enable time to live: %w", err)
	}
	return nil
}

func createTableInput(table string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName: &table,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: ptr(attrUserID), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: ptr(attrDeviceID), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: ptr(attrUserID), KeyType: types.KeyTypeHash},
			{AttributeName: ptr(attrDeviceID), KeyType: types.KeyTypeRange},
		},
		BillingMode: types.BillingModePayPerRequest,
	}
}

func timeToLiveInput(table string) *dynamodb.UpdateTimeToLiveInput {
	return &dynamodb.UpdateTimeToLiveInput{
		TableName: &table,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: ptr(attrExpiresAt),
			Enabled:       ptr(true),
		},
	}
}

func ptr[T any](v T) *T { return &v }
