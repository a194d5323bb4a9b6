package bench

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
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

// A row is an item of a table.
type row struct {
	UserID        string `dynamodbav:"userId"`
	DeviceID      string `dynamodbav:"deviceId"`
	ExpoPushToken string `dynamodbav:"expoPushToken"`
	Platform      string `dynamodbav:"platform"`
	ProjectID     string `dynamodbav:"projectId"`
	IsActive      bool   `dynamodbav:"isActive"`
	RegisteredAt  string `dynamodbav:"registeredAt"`
	UpdatedAt     string `dynamodbav:"updatedAt"`
	ExpiresAt     int64  `dynamodbav:"expiresAt"`

	// Only dynamostore's rows have a claim.
	ClaimVersion   string `dynamodbav:"claimVersion,omitempty"`
	ClaimExpiresAt int64  `dynamodbav:"claimExpiresAt,omitempty"`
}

// newRow returns the row of an active registration of now.
func newRow(r tokens.Request, now time.Time) row {
	return row{
		UserID: string(r.Key.UserID), DeviceID: string(r.Key.DeviceID), ExpoPushToken: r.Token.Reveal(),
		Platform: string(r.Platform), ProjectID: string(r.ProjectID), IsActive: true,
		RegisteredAt: now.Format(timeFormat), UpdatedAt: now.Format(timeFormat), ExpiresAt: now.Add(ttl).Unix(),
	}
}

func (r row) key() tokens.Key {
	return tokens.Key{UserID: tokens.UserID(r.UserID), DeviceID: tokens.DeviceID(r.DeviceID)}
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

// Register puts the row, and then takes the token from all others. Its result is the
// outcome alone.
func (n naive) Register(ctx context.Context, req tokens.Request) (store.Result, error) {
	item, err := attributevalue.MarshalMap(newRow(req, time.Now().UTC()))
	if err != nil {
		return store.Result{}, err
	}
	put, err := n.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:              &n.table,
		Item:                   item,
		ReturnValues:           types.ReturnValueAllOld,
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return store.Result{}, err
	}
	result := store.Result{Outcome: store.Refreshed}
	if len(put.Attributes) == 0 {
		result.Outcome = store.Created
	}
	holders, err := n.query(ctx, &dynamodb.QueryInput{
		IndexName:                 aws.String("byToken"),
		KeyConditionExpression:    aws.String("expoPushToken = :t"),
		ExpressionAttributeValues: dynamotest.Item{":t": item["expoPushToken"]},
	})
	if err != nil {
		return store.Result{}, err
	}
	for _, holder := range holders {
		if holder.key() == req.Key {
			continue
		}
		if err := n.takeFrom(ctx, holder.key()); err != nil {
			return store.Result{}, err
		}
	}
	return result, nil
}

func (n naive) takeFrom(ctx context.Context, key tokens.Key) error {
	_, err := n.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 &n.table,
		Key:                       dynamotest.KeyItem(key),
		UpdateExpression:          aws.String("SET isActive = :no REMOVE expoPushToken"),
		ExpressionAttributeValues: dynamotest.Item{":no": &types.AttributeValueMemberBOOL{}},
		ReturnConsumedCapacity:    types.ReturnConsumedCapacityTotal,
	})
	return err
}

// List queries the active registrations, and returns their keys alone.
func (n naive) List(ctx context.Context, user tokens.UserID) (regs []tokens.Registration, err error) {
	rows, err := n.query(ctx, &dynamodb.QueryInput{
		KeyConditionExpression: aws.String("userId = :u"),
		FilterExpression:       aws.String("isActive = :yes"),
		ExpressionAttributeValues: dynamotest.Item{
			":u": dynamotest.S(string(user)), ":yes": &types.AttributeValueMemberBOOL{Value: true},
		},
		ConsistentRead: aws.Bool(true),
	})
	for _, r := range rows {
		regs = append(regs, tokens.Registration{Key: r.key()})
	}
	return regs, err
}

// query returns the rows of one page, which is enough for these tables.
func (n naive) query(ctx context.Context, in *dynamodb.QueryInput) (rows []row, err error) {
	in.TableName, in.ReturnConsumedCapacity = &n.table, types.ReturnConsumedCapacityTotal
	out, err := n.client.Query(ctx, in)
	if err != nil {
		return nil, err
	}
	err = attributevalue.UnmarshalListOfMaps(out.Items, &rows)
	return rows, err
}
