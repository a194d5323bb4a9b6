package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// TestDoctorLocal checks a good table of DynamoDB Local, one with other keys, and none.
func TestDoctorLocal(t *testing.T) {
	d := newDesk(t)
	d.register("alice", "phone", tokenA)
	before := d.stored()
	want := map[string]verdict{
		"table": good, "keys": good, "regions": good, "encryption": warning, "protection": warning, "ttl": good,
		"may GetItem": good, "may Query": good, "may PutItem": good, "may UpdateItem": good, "may DeleteItem": good, "may Scan": good,
	}
	got := map[string]verdict{}
	for _, f := range read[[]finding](t, d.run("", "doctor", "-o", "json")) {
		got[f.Check] = f.Verdict
	}
	delete(got, "recovery") // DynamoDB Local has no backups
	equal(t, "verdicts", want, got)
	equal(t, "items afterwards", before, d.stored())

	other := d.table + "-other"
	_, err := d.client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            &other,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeN}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		BillingMode:          types.BillingModePayPerRequest,
	})
	if err != nil {
		t.Fatal(err)
	}
	d.run("", "doctor", "--db", "dynamodb:"+other).want(t, exitFailed,
		"the key schema is HASH id (N), but must be HASH userId (S), RANGE deviceId (S)", "TTL is off", "a check failed")
	none := d.run("", "doctor", "--db", "dynamodb:"+d.table+"-none", "-o", "json")
	none.want(t, exitFailed)
	equal(t, "findings without a table", []finding{{"table", wrong, noSuchTable}}, read[[]finding](t, none))
}

// healthy are the answers of AWS for a table of our Terraform, to an identity that may
// do what the service does. An answer that begins with '!' is an error's code.
var healthy = map[string]string{
	"DescribeTable": `{"Table":{"TableStatus":"ACTIVE","DeletionProtectionEnabled":true,
			"AttributeDefinitions":[{"AttributeName":"deviceId","AttributeType":"S"},{"AttributeName":"userId","AttributeType":"S"}],
			"KeySchema":[{"AttributeName":"userId","KeyType":"HASH"},{"AttributeName":"deviceId","KeyType":"RANGE"}],
			"SSEDescription":{"Status":"ENABLED","SSEType":"KMS","KMSMasterKeyArn":"arn:aws:kms:us-east-1:123456789012:key/k"}}}`,
	"DescribeTimeToLive": `{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"expiresAt"}}`,
	"DescribeContinuousBackups": `{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED",
			"PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"ENABLED"}}}`,
	"GetItem": `{}`, "Query": `{}`,
	"PutItem": "!ConditionalCheckFailedException", "UpdateItem": "!ConditionalCheckFailedException",
	"DeleteItem": "!ConditionalCheckFailedException", "Scan": "!AccessDeniedException",
}

// TestDoctorAnswers changes one of a healthy table's answers in each case.
func TestDoctorAnswers(t *testing.T) {
	credentials(t)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	const describe, ttl, backups, denied = "DescribeTable", "DescribeTimeToLive", "DescribeContinuousBackups", "!AccessDeniedException"
	for _, tc := range []struct {
		name, action string
		old, text    string // in the healthy answer; old "" replaces all of it
		check        string
		verdict      verdict
		says         string
	}{
		{"an operator", "Scan", "", `{}`, "may Scan", good, "yes"},
		{"PITR off", backups, `RecoveryStatus":"ENABLED`, `RecoveryStatus":"DISABLED`, "recovery", wrong, "recovery is off"},
		{"no backups described", backups, "", `{}`, "recovery", wrong, "recovery is off"},
		{"TTL off", ttl, "ENABLED", "DISABLED", "ttl", wrong, "TTL is off"},
		{"TTL not described", ttl, "", `{}`, "ttl", wrong, "TTL is off"},
		{"TTL being turned off", ttl, "ENABLED", "DISABLING", "ttl", wrong, "TTL is off"},
		{"TTL being turned on", ttl, "ENABLED", "ENABLING", "ttl", good, "on expiresAt"},
		{"TTL elsewhere", ttl, "expiresAt", "ttl", "ttl", wrong, "another attribute"},
		{"hash key", describe, `"AttributeName":"userId","KeyType"`, `"AttributeName":"user","KeyType"`, "keys", wrong, "HASH user ()"},
		{"key type", describe, `"deviceId","AttributeType":"S"`, `"deviceId","AttributeType":"B"`, "keys", wrong, "RANGE deviceId (B)"},
		{"being deleted", describe, "ACTIVE", "DELETING", "table", wrong, "DELETING"},
		{"status: key unusable", describe, "ACTIVE", "INACCESSIBLE_ENCRYPTION_CREDENTIALS", "table", wrong, "cannot be used"},
		{"replicas", describe, `"TableStatus"`, `"Replicas":[{"RegionName":"eu-west-1"}],"TableStatus"`, "regions", wrong, "global table"},
		{"default encryption", describe, `"SSEDescription"`, `"Other"`, "encryption", warning, "a key that AWS owns"},
		{"key unusable", describe, `"SSEType"`, `"InaccessibleEncryptionDateTime":1700000000,"SSEType"`, "encryption", wrong, "cannot be used"},
		{"unprotected", describe, "true", "false", "protection", warning, "deletion protection is off"},
		{"table not described", describe, "", denied, "table", unknown, "lacks dynamodb:DescribeTable"},
		{"TTL denied", ttl, "", denied, "ttl", unknown, "lacks dynamodb:DescribeTimeToLive"},
		{"backups denied", backups, "", denied, "recovery", unknown, "lacks dynamodb:DescribeContinuousBackups"},
		{"no GetItem", "GetItem", "", denied, "may GetItem", wrong, "allow dynamodb:GetItem"},
		{"no Query", "Query", "", denied, "may Query", wrong, "allow dynamodb:Query"},
		{"no PutItem", "PutItem", "", denied, "may PutItem", wrong, "allow dynamodb:PutItem"},
		{"no UpdateItem", "UpdateItem", "", denied, "may UpdateItem", wrong, "allow dynamodb:UpdateItem"},
		{"no DeleteItem", "DeleteItem", "", denied, "may DeleteItem", wrong, "allow dynamodb:DeleteItem"},
		{"throttled", "Query", "", "!ThrottlingException", "may Query", unknown, "ThrottlingException"},
		{"another endpoint", backups, "", "!UnknownOperationException", "recovery", unknown, "it is not AWS"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			changed := tc.text
			if tc.old != "" {
				changed = strings.Replace(healthy[tc.action], tc.old, tc.text, 1)
			}
			d := &desk{t: t, table: "device-tokens"}
			d.transport = dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
				answer, known := healthy[dynamotest.Operation(r)]
				if dynamotest.Operation(r) == tc.action {
					answer = changed
				}
				code, failed := strings.CutPrefix(answer, "!")
				if failed {
					return dynamotest.Failure(r, http.StatusBadRequest, code, "User: arn:aws:iam::123456789012:user/u is not authorized"), nil
				}
				if !known || !json.Valid([]byte(answer)) || changed == healthy[tc.action] {
					t.Errorf("no answer, no JSON, or no change: %s", answer)
				}
				return dynamotest.Answer(r, http.StatusOK, answer), nil
			})
			o := d.run("", "doctor", "-o", "json")
			code := exitOK
			if tc.verdict == wrong || tc.verdict == unknown {
				code = exitFailed
			}
			o.want(t, code)
			found := false
			for _, f := range read[[]finding](t, o) {
				found = found || f.Check == tc.check
				if f.Check != tc.check && f.Verdict != good || f.Check == tc.check && (f.Verdict != tc.verdict || !strings.Contains(f.Says, tc.says)) {
					t.Errorf("%s is %s: %s", f.Check, f.Verdict, f.Says)
				}
			}
			if !found || strings.Contains(o.out+o.err, "arn:") {
				t.Errorf("it lacks the check, or repeats the answer:\n%s", o.out)
			}
		})
	}
}
