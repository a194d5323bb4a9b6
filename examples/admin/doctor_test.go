package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// TestDoctorLocal checks a good table of DynamoDB Local, and none.
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
		"SSEDescription":{"Status":"ENABLED","SSEType":"KMS"}}}`,
	"DescribeTimeToLive":        `{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"expiresAt"}}`,
	"DescribeContinuousBackups": `{"ContinuousBackupsDescription":{"PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"ENABLED"}}}`,
	"GetItem":                   `{}`, "Query": `{}`,
	"PutItem": "!ConditionalCheckFailedException", "UpdateItem": "!ConditionalCheckFailedException",
	"DeleteItem": "!ConditionalCheckFailedException", "Scan": "!AccessDeniedException",
}

// TestDoctorAnswers changes one of a healthy table's answers in each case.
func TestDoctorAnswers(t *testing.T) {
	credentials(t)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	const describe, ttl, backups, denied = "DescribeTable", "DescribeTimeToLive", "DescribeContinuousBackups", "!AccessDeniedException"
	for _, tc := range []struct {
		action    string
		old, text string // in the healthy answer; old "" replaces all of it
		check     string
		verdict   verdict
		says      string
	}{
		{"Scan", "", `{}`, "may Scan", good, "yes"},
		{backups, `"ENABLED`, `"DISABLED`, "recovery", wrong, "recovery is off"},
		{backups, "", `{}`, "recovery", wrong, "recovery is off"},
		{backups, "", denied, "recovery", unknown, "lacks dynamodb:DescribeContinuousBackups"},
		{ttl, "ENABLED", "DISABLED", "ttl", wrong, "TTL is off"},
		{ttl, "ENABLED", "DISABLING", "ttl", wrong, "TTL is off"},
		{ttl, "ENABLED", "ENABLING", "ttl", good, "on expiresAt"},
		{ttl, "expiresAt", "ttl", "ttl", wrong, "another attribute"},
		{ttl, "", `{}`, "ttl", wrong, "TTL is off"},
		{ttl, "", denied, "ttl", unknown, "lacks dynamodb:DescribeTimeToLive"},
		{describe, `"AttributeName":"userId","KeyType"`, `"AttributeName":"user","KeyType"`, "keys", wrong, "HASH user ()"},
		{describe, `"deviceId","AttributeType":"S"`, `"deviceId","AttributeType":"B"`, "keys", wrong, "RANGE deviceId (B)"},
		{describe, "ACTIVE", "DELETING", "table", wrong, "DELETING"},
		{describe, `"TableStatus"`, `"Replicas":[{"RegionName":"eu-west-1"}],"TableStatus"`, "regions", wrong, "global table"},
		{describe, `"SSEDescription"`, `"Other"`, "encryption", warning, "a key that AWS owns"},
		{describe, `"SSEType"`, `"InaccessibleEncryptionDateTime":1700000000,"SSEType"`, "encryption", wrong, "cannot be used"},
		{describe, "true", "false", "protection", warning, "deletion protection is off"},
		{describe, "", denied, "table", unknown, "lacks dynamodb:DescribeTable"},
		{"GetItem", "", denied, "may GetItem", wrong, "allow dynamodb:GetItem"},
		{"Query", "", denied, "may Query", wrong, "allow dynamodb:Query"},
		{"PutItem", "", denied, "may PutItem", wrong, "allow dynamodb:PutItem"},
		{"UpdateItem", "", denied, "may UpdateItem", wrong, "allow dynamodb:UpdateItem"},
		{"DeleteItem", "", denied, "may DeleteItem", wrong, "allow dynamodb:DeleteItem"},
		{"Query", "", "!ValidationException", "may Query", wrong, "cannot be checked"},
		{"Query", "", "!ThrottlingException", "may Query", unknown, "ThrottlingException"},
	} {
		t.Run(tc.action+" "+tc.says, func(t *testing.T) {
			changed := tc.text
			if tc.old != "" {
				changed = strings.Replace(healthy[tc.action], tc.old, tc.text, 1)
			}
			if changed == healthy[tc.action] {
				t.Fatal("nothing is changed")
			}
			d := &desk{t: t, table: "device-tokens"}
			d.transport = dynamotest.Transport(func(r *http.Request) (*http.Response, error) {
				answer := healthy[dynamotest.Operation(r)]
				if dynamotest.Operation(r) == tc.action {
					answer = changed
				}
				if code, failed := strings.CutPrefix(answer, "!"); failed {
					return dynamotest.Failure(r, http.StatusBadRequest, code, "User: arn:aws:iam::123456789012:user/u is not authorized"), nil
				}
				return dynamotest.Answer(r, http.StatusOK, answer), nil
			})
			o := d.run("", "doctor", "-o", "json")
			code := exitOK
			if tc.verdict == wrong || tc.verdict == unknown {
				code = exitFailed
			}
			o.want(t, code)
			o.lacks(t, "arn:")
			found := false
			for _, f := range read[[]finding](t, o) {
				if f.Check != tc.check {
					equal(t, "verdict of "+f.Check, good, f.Verdict)
				} else if found = true; f.Verdict != tc.verdict || !strings.Contains(f.Says, tc.says) {
					t.Errorf("%s is %s: %s", f.Check, f.Verdict, f.Says)
				}
			}
			if !found {
				t.Errorf("it lacks the check:\n%s", o.out)
			}
		})
	}
}
