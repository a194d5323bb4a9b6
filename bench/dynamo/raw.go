package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/tokens"
)

// The calls of the SDK written by hand for these two requests only: constant
// expressions, a map of values and a specific decoder.

const (
	timeFormat = "2006-01-02T15:04:05.000Z07:00"
	ttl        = 90 * 24 * time.Hour
)

type raw struct {
	client *dynamodb.Client
}

// The constant parts of the requests are created once, with short names.
var (
	rawTable  = aws.String(table)
	rawUpdate = aws.String("REMOVE #r\n" +
		"SET #t = :t, #p = :p, #u = :u, #e = :e, #a = :a, #j = :j, #f = if_not_exists(#f, :u)\n")
	rawCondition   = aws.String("((#t IN (:0, :1, :2)) AND (#e > :n)) AND (#c >= :c)")
	rawUpdateNames = map[string]string{
		"#r": "inactiveReason", "#t": "expoPushToken", "#p": "platform", "#u": "updatedAt", "#e": "expiresAt",
		"#a": "isActive", "#j": "projectId", "#f": "registeredAt", "#c": "claimExpiresAt",
	}

	rawKey    = aws.String("#u = :u")
	rawFilter = aws.String("((attribute_not_exists (#a)) OR (#a <> :i)) AND " +
		"((attribute_not_exists (#e)) OR (NOT (#e <= :n)))")
	rawListNames  = map[string]string{"#u": "userId", "#a": "isActive", "#e": "expiresAt"}
	rawConsistent = aws.Bool(true)
)

func (r raw) refresh(ctx context.Context) (tokens.Registration, error) {
	expiresAt := now.Add(ttl)
	text := request.Token.Reveal()
	identity := strings.TrimSuffix(strings.TrimPrefix(text, "ExponentPushToken["), "]")
	other := "ExpoPushToken[" + identity + "]"
	out, err := r.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: rawTable,
		Key: map[string]types.AttributeValue{
			"userId":   &types.AttributeValueMemberS{Value: string(request.Key.UserID)},
			"deviceId": &types.AttributeValueMemberS{Value: string(request.Key.DeviceID)},
		},
		UpdateExpression:         rawUpdate,
		ConditionExpression:      rawCondition,
		ExpressionAttributeNames: rawUpdateNames,
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":t": &types.AttributeValueMemberS{Value: text},
			":p": &types.AttributeValueMemberS{Value: string(request.Platform)},
			":u": &types.AttributeValueMemberS{Value: now.Format(timeFormat)},
			":e": &types.AttributeValueMemberN{Value: strconv.FormatInt(expiresAt.Unix(), 10)},
			":a": &types.AttributeValueMemberBOOL{Value: true},
			":j": &types.AttributeValueMemberS{Value: string(request.ProjectID)},
			":0": &types.AttributeValueMemberS{Value: text},
			":1": &types.AttributeValueMemberS{Value: other},
			":2": &types.AttributeValueMemberS{Value: other},
			":n": &types.AttributeValueMemberN{Value: strconv.FormatInt(now.Unix(), 10)},
			":c": &types.AttributeValueMemberN{Value: strconv.FormatInt(expiresAt.Add(24*time.Hour).Unix(), 10)},
		},
		ReturnValues:                        types.ReturnValueAllOld,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		ReturnConsumedCapacity:              types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return tokens.Registration{}, err
	}
	old, err := rawDecode(out.Attributes)
	if err != nil {
		return tokens.Registration{}, err
	}
	return refreshed(old.RegisteredAt), nil
}

func (r raw) list(ctx context.Context) ([]tokens.Registration, error) {
	in := &dynamodb.QueryInput{
		TableName:                rawTable,
		KeyConditionExpression:   rawKey,
		FilterExpression:         rawFilter,
		ExpressionAttributeNames: rawListNames,
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":u": &types.AttributeValueMemberS{Value: string(user)},
			":i": &types.AttributeValueMemberBOOL{Value: false},
			":n": &types.AttributeValueMemberN{Value: strconv.FormatInt(now.Unix(), 10)},
		},
		ConsistentRead:         rawConsistent,
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	var regs []tokens.Registration
	for {
		out, err := r.client.Query(ctx, in)
		if err != nil {
			return nil, err
		}
		if regs == nil {
			regs = make([]tokens.Registration, 0, len(out.Items))
		}
		for _, item := range out.Items {
			reg, err := rawDecode(item)
			if err != nil {
				return nil, err
			}
			regs = append(regs, reg)
		}
		if len(out.LastEvaluatedKey) == 0 {
			return regs, nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

func rawDecode(item map[string]types.AttributeValue) (reg tokens.Registration, err error) {
	text := func(name string) string {
		s, ok := item[name].(*types.AttributeValueMemberS)
		if !ok {
			err = errors.Join(err, fmt.Errorf("attribute %s is no string", name))
			return ""
		}
		return s.Value
	}
	reg.Key = tokens.Key{UserID: tokens.UserID(text("userId")), DeviceID: tokens.DeviceID(text("deviceId"))}
	reg.Platform, reg.ProjectID = tokens.Platform(text("platform")), tokens.ProjectID(text("projectId"))
	token, registeredAt, updatedAt := text("expoPushToken"), text("registeredAt"), text("updatedAt")
	if err != nil {
		return reg, err
	}
	active, ok := item["isActive"].(*types.AttributeValueMemberBOOL)
	if !ok {
		return reg, errors.New("attribute isActive is no boolean")
	}
	reg.Status = tokens.Active
	if !active.Value {
		reg.Status = tokens.Inactive
	}
	expires, ok := item["expiresAt"].(*types.AttributeValueMemberN)
	if !ok {
		return reg, errors.New("attribute expiresAt is no number")
	}
	seconds, err := strconv.ParseInt(expires.Value, 10, 64)
	if err != nil {
		return reg, err
	}
	reg.ExpiresAt = time.Unix(seconds, 0).UTC()
	if reg.RegisteredAt, err = time.Parse(time.RFC3339Nano, registeredAt); err != nil {
		return reg, err
	}
	if reg.UpdatedAt, err = time.Parse(time.RFC3339Nano, updatedAt); err != nil {
		return reg, err
	}
	reg.Token, err = tokens.ParseToken(token)
	return reg, err
}
