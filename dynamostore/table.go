package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/tokens"
)

// The attributes of the table. A registration has the attributes of the earlier
// TypeScript service, so that this package can use its tables.
const (
	attrUserID   = "userId"   // hash key
	attrDeviceID = "deviceId" // range key

	attrToken          = "expoPushToken"
	attrPlatform       = "platform"
	attrProjectID      = "projectId"
	attrRegisteredAt   = "registeredAt"
	attrUpdatedAt      = "updatedAt"
	attrIsActive       = "isActive"
	attrInactiveReason = "inactiveReason"
	attrExpiresAt      = "expiresAt" // the table's TTL attribute, on claims too

	// In a registration: copies of the attributes of its claim.
	attrClaimExpiresAt = "claimExpiresAt"
	attrClaimVersion   = "claimVersion"

	// Of a claim.
	attrOwnerUserID   = "ownerUserId"
	attrOwnerDeviceID = "ownerDeviceId"
	attrVersion       = "version"
)

// An item is an item of the table as the SDK returns it; nil if there is none.
type item = map[string]types.AttributeValue

func stringValue(s string) types.AttributeValue {
	return &types.AttributeValueMemberS{Value: s}
}

func boolValue(b bool) types.AttributeValue {
	return &types.AttributeValueMemberBOOL{Value: b}
}

// secondsValue is a time in epoch seconds, the format of DynamoDB's TTL.
func secondsValue(t time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(t.Unix(), 10)}
}

// timeFormat is RFC 3339, always with milliseconds, so that texts sort as times.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

func timeValue(t time.Time) types.AttributeValue {
	return stringValue(t.UTC().Format(timeFormat))
}

func keyOf(k tokens.Key) item {
	return item{
		attrUserID:   stringValue(string(k.UserID)),
		attrDeviceID: stringValue(string(k.DeviceID)),
	}
}

// A TableClient is the part of the AWS SDK that [CreateTable] uses.
type TableClient interface {
	CreateTable(context.Context, *dynamodb.CreateTableInput, ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error)
	DescribeTable(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
	UpdateTimeToLive(context.Context, *dynamodb.UpdateTimeToLiveInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error)
}

var _ TableClient = (*dynamodb.Client)(nil)

// tableTimeout limits how long CreateTable waits for the table.
const tableTimeout = 2 * time.Minute

// CreateTable creates the table that a [Store] needs, for local work and tests, and waits
// until it is active. The table has the hash key userId, the range key deviceId, on-demand
// billing, and TTL on expiresAt. In production use the Terraform in infrastructure/, which
// adds encryption, point-in-time recovery and deletion protection.
//
// If a table of that name exists, the error wraps [types.ResourceInUseException], and
// CreateTable does not change that table.
func CreateTable(ctx context.Context, c TableClient, table string) error {
	_, err := c.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &table,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String(attrUserID), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String(attrDeviceID), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String(attrUserID), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(attrDeviceID), KeyType: types.KeyTypeRange},
		},
		BillingMode: types.BillingModePayPerRequest,
	})
	if err != nil {
		return fmt.Errorf("dynamostore: create table: %w", err)
	}
	waiter := dynamodb.NewTableExistsWaiter(c, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay = 20 * time.Millisecond
		o.MaxDelay = 5 * time.Second
	})
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &table}, tableTimeout); err != nil {
		return fmt.Errorf("dynamostore: wait for table: %w", errors.Join(ctx.Err(), err))
	}
	_, err = c.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               &table,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(attrExpiresAt), Enabled: aws.Bool(true)},
	})
	if err != nil {
		return fmt.Errorf("dynamostore: enable time to live: %w", err)
	}
	return nil
}
