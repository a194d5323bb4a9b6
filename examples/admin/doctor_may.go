package main

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The IAM actions are tried on a key that is nobody's: user ids do not begin with
// '#'. A write is tried under the condition that the item is there, which it is
// not. AWS checks what the identity may do before it looks at the condition.

const itemIsThere = "attribute_exists(userId)"

func nobody() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"userId":   &types.AttributeValueMemberS{Value: "#doctor#" + rand.Text()},
		"deviceId": &types.AttributeValueMemberS{Value: "#"},
	}
}

func mayGet(ctx context.Context, client *dynamodb.Client, table string) (verdict, string) {
	_, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: nobody()})
	return may("GetItem", "looking up a device or the holder of a token, and erasing", err)
}

func mayQuery(ctx context.Context, client *dynamodb.Client, table string) (verdict, string) {
	_, err := client.Query(ctx, &dynamodb.QueryInput{
		TableName: &table, KeyConditionExpression: aws.String("userId = :user"), Limit: aws.Int32(1),
		ExpressionAttributeValues: map[string]types.AttributeValue{":user": nobody()["userId"]},
	})
	return may("Query", "listing a user, and the limit of devices", err)
}

func mayPut(ctx context.Context, client *dynamodb.Client, table string) (verdict, string) {
	_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: nobody(), ConditionExpression: aws.String(itemIsThere)})
	return may("PutItem", "registering a new token", err)
}

func mayUpdate(ctx context.Context, client *dynamodb.Client, table string) (verdict, string) {
	_, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &table, Key: nobody(), ConditionExpression: aws.String(itemIsThere),
		UpdateExpression: aws.String("REMOVE doctor"),
	})
	return may("UpdateItem", "every launch of the app, and logging out", err)
}

func mayDelete(ctx context.Context, client *dynamodb.Client, table string) (verdict, string) {
	_, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: nobody(), ConditionExpression: aws.String(itemIsThere)})
	return may("DeleteItem", "taking a token over, and erasing", err)
}

// mayScan is for an operator only: a service does without, and better so.
func mayScan(ctx context.Context, client *dynamodb.Client, table string) (verdict, string) {
	_, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: &table, Limit: aws.Int32(1), ProjectionExpression: aws.String("#absent"),
		ExpressionAttributeNames: map[string]string{"#absent": "doctor"}})
	if err != nil && accessDenied(codeOf(err)) {
		return good, "no, as is right for a service; 'admin upgrade' needs dynamodb:Scan"
	}
	return may("Scan", "'admin upgrade', and nothing else", err)
}

// may is the verdict on a call that was tried.
func may(action, neededFor string, err error) (verdict, string) {
	var refused *types.ConditionalCheckFailedException
	switch code := codeOf(err); {
	case err == nil, errors.As(err, &refused):
		return good, "yes; it is for " + neededFor
	case accessDenied(code):
		return wrong, "no: allow dynamodb:" + action + " on the table, and the use of its KMS key; it is for " + neededFor
	case code == "ValidationException":
		return wrong, "cannot be tried: the name or the keys of the table are no good"
	default:
		return notSeen(action, err)
	}
}
