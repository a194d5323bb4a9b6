package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tableFindings returns the findings from the table's description, and whether other
// calls may succeed.
func (p *program) tableFindings(ctx context.Context, client *dynamodb.Client) (findings []finding, reachable bool) {
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &p.table})
	if err != nil {
		v, says := notSeen("DescribeTable", err)
		return []finding{{"table", v, says}}, !hopeless(err)
	}
	for _, c := range []struct {
		name string
		look func(*types.TableDescription) (verdict, string)
	}{
		{"table", lookStatus},
		{"keys", lookKeys},
		{"regions", lookReplicas},
		{"encryption", lookEncryption},
		{"protection", lookProtection},
	} {
		v, says := c.look(out.Table)
		findings = append(findings, finding{c.name, v, says})
	}
	return findings, true
}

func lookStatus(t *types.TableDescription) (verdict, string) {
	switch t.TableStatus {
	case types.TableStatusActive, types.TableStatusUpdating:
		return good, "exists"
	case types.TableStatusInaccessibleEncryptionCredentials:
		return wrong, "its encryption key cannot be used: enable the key, or allow DynamoDB to use it"
	default:
		return wrong, "cannot be used: its status is " + string(t.TableStatus)
	}
}

func lookKeys(t *types.TableDescription) (verdict, string) {
	attributes := map[string]types.ScalarAttributeType{}
	for _, a := range t.AttributeDefinitions {
		attributes[aws.ToString(a.AttributeName)] = a.AttributeType
	}
	var keys []string
	for _, k := range t.KeySchema {
		name := aws.ToString(k.AttributeName)
		keys = append(keys, fmt.Sprintf("%s %s (%s)", k.KeyType, name, attributes[name]))
	}
	const want = "HASH userId (S), RANGE deviceId (S)"
	if got := strings.Join(keys, ", "); got != want {
		return wrong, "the key schema is " + got + ", but must be " + want + ": create a new table"
	}
	return good, want
}

func lookReplicas(t *types.TableDescription) (verdict, string) {
	if len(t.Replicas) > 0 {
		return wrong, "global table: transactions are atomic in one region only. Write to it from one region, " +
			"or two users may have one token"
	}
	return good, "one region"
}

func lookEncryption(t *types.TableDescription) (verdict, string) {
	switch sse := t.SSEDescription; {
	case sse == nil || sse.Status == types.SSEStatusDisabled:
		return warning, "encrypted with a key that AWS owns, whose use you cannot audit or revoke: set a KMS key, because tokens are " +
			"credentials"
	case sse.InaccessibleEncryptionDateTime != nil:
		return wrong, "the KMS key cannot be used: enable the key, or allow DynamoDB to use it"
	default:
		return good, "KMS key of the account"
	}
}

func lookProtection(t *types.TableDescription) (verdict, string) {
	if !aws.ToBool(t.DeletionProtectionEnabled) {
		return warning, "deletion protection is off: enable it"
	}
	return good, "deletion protection is on"
}

// checks has the checks that make a separate call, in the order of the output.
var checks = []check{
	{"ttl", lookTTL},
	{"recovery", lookRecovery},
	{"may GetItem", mayGet},
	{"may Query", mayQuery},
	{"may PutItem", mayPut},
	{"may UpdateItem", mayUpdate},
	{"may DeleteItem", mayDelete},
	{"may Scan", mayScan},
}

func lookTTL(ctx context.Context, client *dynamodb.Client, table string) (verdict, string) {
	out, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &table})
	if err != nil {
		return notSeen("DescribeTimeToLive", err)
	}
	ttl := out.TimeToLiveDescription
	if ttl == nil {
		ttl = &types.TimeToLiveDescription{TimeToLiveStatus: types.TimeToLiveStatusDisabled}
	}
	switch name := aws.ToString(ttl.AttributeName); ttl.TimeToLiveStatus {
	case types.TimeToLiveStatusEnabled, types.TimeToLiveStatusEnabling:
		if name != "expiresAt" {
			return wrong, "TTL is on another attribute, so expired registrations are not removed: disable it, and enable it on expiresAt"
		}
		return good, "on expiresAt"
	default:
		return wrong, "TTL is off, so expired registrations, which are personal data, are not removed: enable it on expiresAt"
	}
}

func lookRecovery(ctx context.Context, client *dynamodb.Client, table string) (verdict, string) {
	out, err := client.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &table})
	if err != nil {
		return notSeen("DescribeContinuousBackups", err)
	}
	backups := out.ContinuousBackupsDescription
	if backups == nil || backups.PointInTimeRecoveryDescription == nil ||
		backups.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus != types.PointInTimeRecoveryStatusEnabled {
		return wrong, "point-in-time recovery is off, so data that is deleted by mistake is lost: enable it"
	}
	return good, "point-in-time recovery is on; after a restore, run 'admin repair'"
}
