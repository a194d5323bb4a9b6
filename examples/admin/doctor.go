package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/spf13/cobra"

	"github.com/devicetokens/devicetokens/examples/internal/awsenv"
)

type finding struct {
	Check   string  `json:"check"`
	Verdict verdict `json:"verdict"`
	Says    string  `json:"says"`
}

type verdict string

const (
	good    verdict = "ok"
	warning verdict = "warning" // it works, but should be changed
	wrong   verdict = "WRONG"
	unknown verdict = "UNKNOWN" // the check could not be made
)

func (p *program) doctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check the table and the permissions of this identity",
		Long: "Checks the table's key schema, TTL, point-in-time recovery, encryption and deletion protection, and the\n" +
			"permissions that the library needs. Run it with the service's credentials to check those. It reads and writes\n" +
			"no data of users: its writes have a false condition and a key that no user can have. The exit code is 1 if a\n" +
			"check fails or cannot be made.",
		Args: flagsOnly,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := p.client(cmd.Context())
			if err != nil {
				return err
			}
			return p.diagnose(cmd.Context(), client)
		},
	}
}

var errNotWell = errors.New("a check failed or could not be made")

func (p *program) diagnose(ctx context.Context, client *dynamodb.Client) error {
	var findings []finding
	table, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &p.table})
	if err == nil {
		findings = look(table.Table)
	} else {
		findings = []finding{notSeen("table", "DescribeTable", err)}
	}
	if err == nil || accessDenied(codeOf(err)) { // a service may lack the permission to describe the table
		findings = append(findings, lookTTL(ctx, client, p.table), lookRecovery(ctx, client, p.table))
		for _, needed := range permissions {
			findings = append(findings, may(needed.action, needed.purpose, try(ctx, client, p.table, needed.action)))
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	var rows [][]string
	for _, f := range findings {
		rows = append(rows, []string{string(f.Verdict), f.Check, f.Says})
	}
	if err := p.show(findings, []string{"VERDICT", "CHECK", "SAYS"}, rows); err != nil {
		return err
	}
	if slices.ContainsFunc(findings, func(f finding) bool { return f.Verdict == wrong || f.Verdict == unknown }) {
		return errNotWell
	}
	return nil
}

const noSuchTable = "no such table in this account and region"

// notSeen returns the finding of a check that could not be made.
func notSeen(check, action string, err error) finding {
	switch code := codeOf(err); {
	case accessDenied(code):
		return finding{check, unknown, "this identity lacks dynamodb:" + action + "; run doctor with an identity that has it"}
	case code == "ResourceNotFoundException":
		return finding{check, wrong, noSuchTable}
	case code != noAnswer:
		return finding{check, unknown, action + " returned " + code}
	}
	says := "no response to " + action
	if network := awsenv.NetworkError(err); network != nil {
		says += ": " + network.Error()
	}
	return finding{check, unknown, says}
}

func accessDenied(code string) bool {
	return code == "AccessDeniedException" || code == "AccessDenied" || code == "NotAuthorized"
}

// permissions are the actions of the library and of this program.
var permissions = []struct{ action, purpose string }{
	{"GetItem", "looking up a device or the holder of a token, and erasing"},
	{"Query", "listing a user, and the limit of devices"},
	{"PutItem", "registering a new token"},
	{"UpdateItem", "every launch of the app, and logging out"},
	{"DeleteItem", "taking a token over, and erasing"},
	{"Scan", "'admin upgrade', export, stats, copy and diff; a service does not need it"},
}

// try uses a permission. A write has the condition that the item exists, which is
// false: AWS checks the permission before the condition.
func try(ctx context.Context, client *dynamodb.Client, table, action string) (err error) {
	user := &types.AttributeValueMemberS{Value: "#doctor#" + rand.Text()} // ids of users do not begin with '#'
	key := map[string]types.AttributeValue{"userId": user, "deviceId": &types.AttributeValueMemberS{Value: "#"}}
	exists := aws.String("attribute_exists(userId)")
	switch action {
	case "GetItem":
		_, err = client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: key})
	case "Query":
		_, err = client.Query(ctx, &dynamodb.QueryInput{
			TableName: &table, Limit: aws.Int32(1), KeyConditionExpression: aws.String("userId = :user"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":user": user},
		})
	case "PutItem":
		_, err = client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: key, ConditionExpression: exists})
	case "UpdateItem":
		_, err = client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &table, Key: key, ConditionExpression: exists, UpdateExpression: aws.String("REMOVE doctor"),
		})
	case "DeleteItem":
		_, err = client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: key, ConditionExpression: exists})
	case "Scan":
		_, err = client.Scan(ctx, &dynamodb.ScanInput{TableName: &table, Limit: aws.Int32(1), ProjectionExpression: aws.String("doctor")})
	}
	return err
}

func may(action, purpose string, err error) finding {
	check := "may " + action
	var refused *types.ConditionalCheckFailedException
	switch code := codeOf(err); {
	case err == nil, errors.As(err, &refused):
		return finding{check, good, "yes; needed for " + purpose}
	case accessDenied(code) && action == "Scan":
		return finding{check, good, "no, as recommended for a service; 'admin' needs dynamodb:Scan for upgrade, export, stats, copy and diff"}
	case accessDenied(code):
		return finding{check, wrong, "no: allow dynamodb:" + action + " on the table, and the use of its KMS key; needed for " + purpose}
	case code == "ValidationException":
		return finding{check, wrong, "cannot be checked: the name or the key schema of the table is wrong"}
	}
	return notSeen(check, action, err)
}

// rate returns a good finding, or the other one.
func rate(check string, ok bool, says string, otherwise verdict, fault string) finding {
	if ok {
		return finding{check, good, says}
	}
	return finding{check, otherwise, fault}
}

func look(t *types.TableDescription) []finding {
	usable := t.TableStatus == types.TableStatusActive || t.TableStatus == types.TableStatusUpdating
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
	schema := strings.Join(keys, ", ")
	sse := cmp.Or(t.SSEDescription, &types.SSEDescription{Status: types.SSEStatusDisabled})
	encryption := rate("encryption", sse.Status != types.SSEStatusDisabled, "KMS key of the account", warning,
		"encrypted with a key that AWS owns, whose use you cannot audit or revoke: set a KMS key, because tokens are credentials")
	if sse.InaccessibleEncryptionDateTime != nil {
		encryption = finding{"encryption", wrong, "the KMS key cannot be used: enable the key, or allow DynamoDB to use it"}
	}
	return []finding{
		rate("table", usable, "exists", wrong, "cannot be used: its status is "+string(t.TableStatus)),
		rate("keys", schema == want, want, wrong, "the key schema is "+schema+", but must be "+want+": create a new table"),
		rate("regions", len(t.Replicas) == 0, "one region", wrong,
			"global table: transactions are atomic in one region only. Write to it from one region, or two users may have one token"),
		encryption,
		rate("protection", aws.ToBool(t.DeletionProtectionEnabled), "deletion protection is on", warning, "deletion protection is off: enable it"),
	}
}

func lookTTL(ctx context.Context, client *dynamodb.Client, table string) finding {
	out, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &table})
	if err != nil {
		return notSeen("ttl", "DescribeTimeToLive", err)
	}
	ttl := cmp.Or(out.TimeToLiveDescription, &types.TimeToLiveDescription{})
	if ttl.TimeToLiveStatus != types.TimeToLiveStatusEnabled && ttl.TimeToLiveStatus != types.TimeToLiveStatusEnabling {
		return finding{"ttl", wrong, "TTL is off, so expired registrations, which are personal data, are not removed: enable it on expiresAt"}
	}
	return rate("ttl", aws.ToString(ttl.AttributeName) == "expiresAt", "on expiresAt", wrong,
		"TTL is on another attribute, so expired registrations are not removed: disable it, and enable it on expiresAt")
}

func lookRecovery(ctx context.Context, client *dynamodb.Client, table string) finding {
	out, err := client.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &table})
	if err != nil {
		return notSeen("recovery", "DescribeContinuousBackups", err)
	}
	backups := cmp.Or(out.ContinuousBackupsDescription, &types.ContinuousBackupsDescription{})
	recovery := cmp.Or(backups.PointInTimeRecoveryDescription, &types.PointInTimeRecoveryDescription{})
	return rate("recovery", recovery.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled,
		"point-in-time recovery is on; after a restore, run 'admin repair'", wrong,
		"point-in-time recovery is off, so data that is deleted by mistake is lost: enable it")
}
