package bench

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// naive is the implementation that most projects begin with: put the row, query
// an index by token for other rows with it, and update each of those.
//
// It guarantees less than dynamostore. Between the put and the update the token has two
// users, permanently if the process ends there. If two users register one token
// concurrently, both or neither may keep it, because an index is eventually consistent.
// It has no device limit, and overwrites the time of the first registration.
type naive struct {
	client *dynamodb.Client
	table  string
}

// createNaive creates the table with an index that projects only the keys, which is the
// cheapest one.
func createNaive(ctx context.Context, c *dynamodb.Client, table string) error {
	attribute := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS}
	}
	key := func(name string, kind types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: aws.String(name), KeyType: kind}
	}
	_, err := c.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            &table,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{attribute("userId"), attribute("deviceId"), attribute("expoPushToken")},
		KeySchema:            []types.KeySchemaElement{key("userId", types.KeyTypeHash), key("deviceId", types.KeyTypeRange)},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName:  aws.String("byToken"),
			KeySchema:  []types.KeySchemaElement{key("expoPushToken", types.KeyTypeHash)},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}},
	})
	return err
}

// Register puts the row, and then takes the token from all others.
func (n naive) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	reg := tokens.Registration{
		Key: req.Key, Token: req.Token, Platform: req.Platform, ProjectID: req.ProjectID, Status: tokens.Active,
		RegisteredAt: now, UpdatedAt: now, ExpiresAt: store.Policy{TTL: ttl}.Expiry(now),
	}
	put, err := n.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:              &n.table,
		Item:                   item(reg),
		ReturnValues:           types.ReturnValueAllOld,
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return store.Result{}, err
	}
	result := store.Result{Registration: reg, Outcome: store.Refreshed}
	if len(put.Attributes) == 0 {
		result.Outcome = store.Created
	}
	holders, err := n.client.Query(ctx, &dynamodb.QueryInput{
		TableName:                 &n.table,
		IndexName:                 aws.String("byToken"),
		KeyConditionExpression:    aws.String("expoPushToken = :t"),
		ExpressionAttributeValues: dynamotest.Item{":t": text(req.Token.Reveal())},
		ReturnConsumedCapacity:    types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return store.Result{}, err
	}
	for _, holder := range holders.Items {
		if err := n.takeFrom(ctx, holder, req.Key, &result); err != nil {
			return store.Result{}, err
		}
	}
	return result, nil
}

// takeFrom removes the token from a row, which also takes it out of the index.
func (n naive) takeFrom(ctx context.Context, holder dynamotest.Item, own tokens.Key, result *store.Result) error {
	key := tokens.Key{
		UserID:   tokens.UserID(holder["userId"].(*types.AttributeValueMemberS).Value),
		DeviceID: tokens.DeviceID(holder["deviceId"].(*types.AttributeValueMemberS).Value),
	}
	if key == own {
		return nil
	}
	if key.UserID != own.UserID {
		result.MovedFrom = key
	}
	_, err := n.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 &n.table,
		Key:                       dynamotest.Item{"userId": holder["userId"], "deviceId": holder["deviceId"]},
		UpdateExpression:          aws.String("SET isActive = :no REMOVE expoPushToken"),
		ExpressionAttributeValues: dynamotest.Item{":no": flag(false)},
		ReturnConsumedCapacity:    types.ReturnConsumedCapacityTotal,
	})
	return err
}

// List queries the active registrations.
func (n naive) List(ctx context.Context, user tokens.UserID) ([]tokens.Registration, error) {
	return query(ctx, n.client, &dynamodb.QueryInput{
		TableName:                 &n.table,
		KeyConditionExpression:    aws.String("userId = :u"),
		FilterExpression:          aws.String("isActive = :yes"),
		ExpressionAttributeValues: dynamotest.Item{":u": text(string(user)), ":yes": flag(true)},
		ConsistentRead:            aws.Bool(true),
		ReturnConsumedCapacity:    types.ReturnConsumedCapacityTotal,
	})
}
