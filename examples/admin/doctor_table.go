package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tableFindings returns what the table's description shows, and whether it is worth
// while to ask for more.
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
		return good, "it is there"
	case types.TableStatusInaccessibleEncryptionCredentials:
		return wrong, "its encryption key cannot be used: enable the key, or let DynamoDB use it again"
	default:
		return wrong, "it cannot be used: its status is " + string(t.TableStatus)
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
		return wrong, "they are " + got + ", and must be " + want + ": the table has to be made anew"
	}
	return good, want
}

func lookReplicas(t *types.TableDescription) (verdict, string) {
	if len(t.Replicas) > 0 {
		return wrong, "it is a global table: transactions are atomic in one region only, so write it from one region, " +
			"or tokens do not stay exclusive"
	}
	return good, "it is in one region"
}

func lookEncryption(t *types.TableDescription) (verdict, string) {
	switch sse := t.SSEDescription; {
	case sse == nil || sse.Status == types.SSEStatusDisabled:
		return warning, "tokens are credentials, and are encrypted with a key that AWS owns: you can neither audit nor revoke " +
			"its use; set a KMS key"
	case sse.InaccessibleEncryptionDateTime != nil:
		return wrong, "the KMS key cannot be used: enable the key, or let DynamoDB use it again"
	default:
		return good, "with a KMS key of the account"
	}
}

func lookProtection(t *types.TableDescription) (verdict, string) {
	if !aws.ToBool(t.DeletionProtectionEnabled) {
		return warning, "the table can be deleted by one call: enable deletion protection"
	}
	return good, "it cannot be deleted by one call"
}

// checks are those that make a call of their own, in the order in which they are
// shown.
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
			return wrong, "it is on another attribute: expired registrations stay for ever; disable it, and enable it on expiresAt"
		}
		return good, "on expiresAt"
	default:
		return wrong, "it is off: expired registrations, which are personal data, stay for ever; enable it on expiresAt"
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
		return wrong, "point-in-time recovery is off: what is deleted by mistake is lost; enable it"
	}
	return good, "point-in-time recovery is on; after a restore, run 'admin repair'"
}
