package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// TestDoctorLocal looks at a table of DynamoDB Local, which is right but for what
// that does not have.
func TestDoctorLocal(t *testing.T) {
	d := newDesk(t)
	d.register("alice", "phone", tokenA)
	before := d.stored()
	want := map[string]verdict{
		"table": good, "keys": good, "regions": good, "encryption": warning, "protection": warning, "ttl": good,
		"may GetItem": good, "may Query": good, "may PutItem": good, "may UpdateItem": good, "may DeleteItem": good, "may Scan": good,
	}
	got := verdicts(t, d.run("", "doctor", "-o", "json"))
	delete(got, "recovery") // DynamoDB Local makes no backups
	equal(t, "verdicts", want, got)
	equal(t, "items afterwards", before, d.stored())
}

// TestDoctorOtherKeys looks at a table whose keys are other ones, and at none.
func TestDoctorOtherKeys(t *testing.T) {
	d := newDesk(t)
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
	o := d.run("", "doctor", "--db", "dynamodb:"+other)
	o.want(t, exitFailed, "the key schema is HASH id (N), but must be HASH userId (S), RANGE deviceId (S)", "TTL is off", "a check failed")
	o = d.run("", "doctor", "--db", "dynamodb:"+d.table+"-none", "-o", "json")
	o.want(t, exitFailed)
	equal(t, "findings without a table", []finding{{"table", wrong, noSuchTable}}, read[[]finding](t, o))
}

// healthy are the answers of AWS on a table as the Terraform makes it, to an
// identity that has all the service's actions.
func healthy() map[string]string {
	return map[string]string{
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
}

// TestDoctorAnswers gives answers that DynamoDB Local does not give. Each case
// changes one of a healthy table's.
func TestDoctorAnswers(t *testing.T) {
	table := func(old, replacement string) map[string]string {
		answer := strings.Replace(healthy()["DescribeTable"], old, replacement, 1)
		if answer == healthy()["DescribeTable"] {
			t.Fatalf("nothing is replaced: %s", old)
		}
		return map[string]string{"DescribeTable": answer}
	}
	denied := func(action string) map[string]string { return map[string]string{action: "!AccessDeniedException"} }
	for _, tc := range []struct {
		name    string
		answers map[string]string
		check   string
		verdict verdict
		says    string
	}{
		{"PITR off", map[string]string{"DescribeContinuousBackups": strings.ReplaceAll(healthy()["DescribeContinuousBackups"],
			`{"PointInTimeRecoveryStatus":"ENABLED"}`, `{"PointInTimeRecoveryStatus":"DISABLED"}`)}, "recovery", wrong, "recovery is off"},
		{"no backups described", map[string]string{"DescribeContinuousBackups": `{}`}, "recovery", wrong, "recovery is off"},
		{"TTL off", map[string]string{"DescribeTimeToLive": `{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}`}, "ttl", wrong, "TTL is off"},
		{"TTL not described", map[string]string{"DescribeTimeToLive": `{}`}, "ttl", wrong, "TTL is off"},
		{"TTL being turned off", map[string]string{"DescribeTimeToLive": `{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLING","AttributeName":"expiresAt"}}`}, "ttl", wrong, "TTL is off"},
		{"TTL elsewhere", map[string]string{"DescribeTimeToLive": `{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"ttl"}}`}, "ttl", wrong, "another attribute"},
		{"hash key", table(`"AttributeName":"userId","KeyType"`, `"AttributeName":"user","KeyType"`), "keys", wrong, "HASH user ()"},
		{"key type", table(`"deviceId","AttributeType":"S"`, `"deviceId","AttributeType":"B"`), "keys", wrong, "RANGE deviceId (B)"},
		{"being deleted", table("ACTIVE", "DELETING"), "table", wrong, "DELETING"},
		{"status: key unusable", table("ACTIVE", "INACCESSIBLE_ENCRYPTION_CREDENTIALS"), "table", wrong, "cannot be used"},
		{"replicas", table(`"TableStatus"`, `"Replicas":[{"RegionName":"eu-west-1"}],"TableStatus"`), "regions", wrong, "global table"},
		{"default encryption", table(`"SSEDescription"`, `"Other"`), "encryption", warning, "a key that AWS owns"},
		{"key unusable", table(`"SSEType"`, `"InaccessibleEncryptionDateTime":1700000000,"SSEType"`), "encryption", wrong, "cannot be used"},
		{"unprotected", table("true", "false"), "protection", warning, "deletion protection is off"},
		{"table not described", denied("DescribeTable"), "table", unknown, "lacks dynamodb:DescribeTable"},
		{"TTL denied", denied("DescribeTimeToLive"), "ttl", unknown, "lacks dynamodb:DescribeTimeToLive"},
		{"backups denied", denied("DescribeContinuousBackups"), "recovery", unknown, "lacks dynamodb:DescribeContinuousBackups"},
		{"no GetItem", denied("GetItem"), "may GetItem", wrong, "allow dynamodb:GetItem"},
		{"no Query", denied("Query"), "may Query", wrong, "allow dynamodb:Query"},
		{"no PutItem", denied("PutItem"), "may PutItem", wrong, "allow dynamodb:PutItem"},
		{"no UpdateItem", denied("UpdateItem"), "may UpdateItem", wrong, "allow dynamodb:UpdateItem"},
		{"no DeleteItem", denied("DeleteItem"), "may DeleteItem", wrong, "allow dynamodb:DeleteItem"},
		{"throttled", map[string]string{"Query": "!ThrottlingException"}, "may Query", unknown, "ThrottlingException"},
		{"an operator's Scan", map[string]string{"Scan": `{}`}, "may Scan", good, "yes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			answers := healthy()
			maps.Copy(answers, tc.answers)
			o := doctored(t, answers)
			code := exitOK
			if tc.verdict == wrong || tc.verdict == unknown {
				code = exitFailed
			}
			o.want(t, code)
			for _, f := range read[[]finding](t, o) {
				switch {
				case f.Check != tc.check && f.Verdict != good:
					t.Errorf("%s is %s: %s", f.Check, f.Verdict, f.Says)
				case f.Check == tc.check && (f.Verdict != tc.verdict || !strings.Contains(f.Says, tc.says)):
					t.Errorf("%s is %s: %s", f.Check, f.Verdict, f.Says)
				}
			}
			if _, ok := verdicts(t, o)[tc.check]; !ok {
				t.Errorf("it does not say anything of %s", tc.check)
			}
			if strings.Contains(o.out+o.err, "arn:") {
				t.Errorf("it repeats what the answer says:\n%s", o.out)
			}
		})
	}
	doctored(t, healthy()).want(t, exitOK)
}

// doctored runs doctor against those answers, by operation; one that begins with
// '!' is an error's code.
func doctored(t *testing.T, answers map[string]string) outcome {
	t.Helper()
	credentials(t)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	d := &desk{t: t, table: "device-tokens"}
	d.transport = dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
		answer, ok := answers[dynamotest.Operation(r)]
		if !ok {
			t.Errorf("it asks for %s", dynamotest.Operation(r))
		}
		if code, failed := strings.CutPrefix(answer, "!"); failed {
			return dynamotest.Failure(r, http.StatusBadRequest, code, "User: arn:aws:iam::123456789012:user/u is not authorized"), nil
		}
		if !json.Valid([]byte(answer)) {
			t.Errorf("no JSON: %s", answer)
		}
		return dynamotest.Answer(r, http.StatusOK, answer), nil
	})
	return d.run("", "doctor", "-o", "json")
}

func verdicts(t *testing.T, o outcome) map[string]verdict {
	t.Helper()
	all := map[string]verdict{}
	for _, f := range read[[]finding](t, o) {
		all[f.Check] = f.Verdict
	}
	return all
}
