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

// A finding is the result of one check.
type finding struct {
	Check   string  `json:"check"`
	Verdict verdict `json:"verdict"`
	Says    string  `json:"says"`
}

// A verdict is the rating of a finding.
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
		Args: arguments(0, "doctor takes flags only"),
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
	note := func(check string, v verdict, says string) { findings = append(findings, finding{check, v, says}) }
	table, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &p.table})
	if err == nil {
		findings = look(table.Table)
	} else {
		v, says := notSeen("DescribeTable", err)
		note("table", v, says)
	}
	if err == nil || accessDenied(codeOf(err)) { // a service may lack the permission to describe the table
		v, says := lookTTL(ctx, client, p.table)
		note("ttl", v, says)
		v, says = lookRecovery(ctx, client, p.table)
		note("recovery", v, says)
		for _, c := range permissions {
			v, says := may(c.action, c.neededFor, c.call(ctx, client, p.table))
			note("may "+c.action, v, says)
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

// notSeen returns the verdict for a check that could not be made.
func notSeen(action string, err error) (verdict, string) {
	switch code := codeOf(err); {
	case accessDenied(code):
		return unknown, "this identity lacks dynamodb:" + action + "; run doctor with an identity that has it"
	case code == "UnknownOperationException":
		return unknown, "this endpoint does not support " + action + ": it is not AWS"
	case code == "ResourceNotFoundException":
		return wrong, noSuchTable
	case code == noAnswer:
		if network := awsenv.NetworkError(err); network != nil {
			return unknown, "no response to " + action + ": " + network.Error()
		}
		return unknown, "no response to " + action
	default:
		return unknown, action + " returned " + code
	}
}

func accessDenied(code string) bool {
	return code == "AccessDeniedException" || code == "AccessDenied" || code == "NotAuthorized"
}

// unusedKey returns a key that no user has, because user ids do not begin with '#'.
func unusedKey() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"userId":   &types.AttributeValueMemberS{Value: "#doctor#" + rand.Text()},
		"deviceId": &types.AttributeValueMemberS{Value: "#"},
	}
}

// permissions has a call for each action. A write has the condition that the item
// exists, which is false: AWS checks the permission before the condition.
var permissions = []struct {
	action, neededFor string
	call              func(context.Context, *dynamodb.Client, string) error
}{
	{"GetItem", "looking up a device or the holder of a token, and erasing", func(ctx context.Context, client *dynamodb.Client, table string) error {
		_, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: unusedKey()})
		return err
	}},
	{"Query", "listing a user, and the limit of devices", func(ctx context.Context, client *dynamodb.Client, table string) error {
		_, err := client.Query(ctx, &dynamodb.QueryInput{
			TableName: &table, KeyConditionExpression: aws.String("userId = :user"), Limit: aws.Int32(1),
			ExpressionAttributeValues: map[string]types.AttributeValue{":user": unusedKey()["userId"]},
		})
		return err
	}},
	{"PutItem", "registering a new token", func(ctx context.Context, client *dynamodb.Client, table string) error {
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: unusedKey(), ConditionExpression: &itemIsThere})
		return err
	}},
	{"UpdateItem", "every launch of the app, and logging out", func(ctx context.Context, client *dynamodb.Client, table string) error {
		_, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &table, Key: unusedKey(), ConditionExpression: &itemIsThere, UpdateExpression: aws.String("REMOVE doctor"),
		})
		return err
	}},
	{"DeleteItem", "taking a token over, and erasing", func(ctx context.Context, client *dynamodb.Client, table string) error {
		_, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: unusedKey(), ConditionExpression: &itemIsThere})
		return err
	}},
	{"Scan", "'admin upgrade', export, stats, copy and diff; a service does not need it", func(ctx context.Context, client *dynamodb.Client, table string) error {
		_, err := client.Scan(ctx, &dynamodb.ScanInput{
			TableName: &table, Limit: aws.Int32(1), ProjectionExpression: aws.String("#absent"),
			ExpressionAttributeNames: map[string]string{"#absent": "doctor"},
		})
		return err
	}},
}

var itemIsThere = "attribute_exists(userId)"

// may returns the verdict for the error of a call.
func may(action, neededFor string, err error) (verdict, string) {
	var refused *types.ConditionalCheckFailedException
	switch code := codeOf(err); {
	case err == nil, errors.As(err, &refused):
		return good, "yes; needed for " + neededFor
	case accessDenied(code) && action == "Scan":
		return good, "no, as recommended for a service; 'admin' needs dynamodb:Scan for upgrade, export, stats, copy and diff"
	case accessDenied(code):
		return wrong, "no: allow dynamodb:" + action + " on the table, and the use of its KMS key; needed for " + neededFor
	case code == "ValidationException":
		return wrong, "cannot be checked: the name or the key schema of the table is wrong"
	default:
		return notSeen(action, err)
	}
}

// look checks the description of the table.
func look(t *types.TableDescription) []finding {
	status := finding{"table", good, "exists"}
	switch t.TableStatus {
	case types.TableStatusActive, types.TableStatusUpdating:
	case types.TableStatusInaccessibleEncryptionCredentials:
		status = finding{"table", wrong, "its encryption key cannot be used: enable the key, or allow DynamoDB to use it"}
	default:
		status = finding{"table", wrong, "cannot be used: its status is " + string(t.TableStatus)}
	}

	attributes := map[string]types.ScalarAttributeType{}
	for _, a := range t.AttributeDefinitions {
		attributes[aws.ToString(a.AttributeName)] = a.AttributeType
	}
	var schema []string
	for _, k := range t.KeySchema {
		name := aws.ToString(k.AttributeName)
		schema = append(schema, fmt.Sprintf("%s %s (%s)", k.KeyType, name, attributes[name]))
	}
	const want = "HASH userId (S), RANGE deviceId (S)"
	keys := finding{"keys", good, want}
	if got := strings.Join(schema, ", "); got != want {
		keys = finding{"keys", wrong, "the key schema is " + got + ", but must be " + want + ": create a new table"}
	}

	regions := finding{"regions", good, "one region"}
	if len(t.Replicas) > 0 {
		regions = finding{"regions", wrong, "global table: transactions are atomic in one region only. Write to it from one region, " +
			"or two users may have one token"}
	}

	encryption := finding{"encryption", good, "KMS key of the account"}
	switch sse := t.SSEDescription; {
	case sse == nil || sse.Status == types.SSEStatusDisabled:
		encryption = finding{"encryption", warning, "encrypted with a key that AWS owns, whose use you cannot audit or revoke: " +
			"set a KMS key, because tokens are credentials"}
	case sse.InaccessibleEncryptionDateTime != nil:
		encryption = finding{"encryption", wrong, "the KMS key cannot be used: enable the key, or allow DynamoDB to use it"}
	}

	protection := finding{"protection", good, "deletion protection is on"}
	if !aws.ToBool(t.DeletionProtectionEnabled) {
		protection = finding{"protection", warning, "deletion protection is off: enable it"}
	}
	return []finding{status, keys, regions, encryption, protection}
}

func lookTTL(ctx context.Context, client *dynamodb.Client, table string) (verdict, string) {
	out, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &table})
	if err != nil {
		return notSeen("DescribeTimeToLive", err)
	}
	ttl := cmp.Or(out.TimeToLiveDescription, &types.TimeToLiveDescription{})
	switch {
	case ttl.TimeToLiveStatus != types.TimeToLiveStatusEnabled && ttl.TimeToLiveStatus != types.TimeToLiveStatusEnabling:
		return wrong, "TTL is off, so expired registrations, which are personal data, are not removed: enable it on expiresAt"
	case aws.ToString(ttl.AttributeName) != "expiresAt":
		return wrong, "TTL is on another attribute, so expired registrations are not removed: disable it, and enable it on expiresAt"
	}
	return good, "on expiresAt"
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
