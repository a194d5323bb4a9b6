package infrastructure

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every planned resource that can have tags has the four, with the stage's values.
func TestTags(t *testing.T) {
	eachStage(t, func(t *testing.T, stage string, p plan) {
		want := map[string]string{
			"Project": "device-tokens", "Env": stage, "Owner": "mobile-platform", "CostCenter": "cc-1234",
		}
		tagged := 0
		for _, address := range p.addresses(t, "aws_") {
			var values map[string]json.RawMessage
			p.decode(t, address, &values)
			if _, ok := values["tags"]; !ok {
				continue
			}
			tagged++
			var got struct{ Tags map[string]string }
			p.decode(t, address, &got)
			if diff := cmp.Diff(want, got.Tags); diff != "" {
				t.Errorf("tags of %s (-want +plan):\n%s", address, diff)
			}
		}
		// The table, the key, the function, its role, two log groups, the API, its stage, the topic and nine alarms.
		if tagged < 18 {
			t.Errorf("%d resources have tags, want 18 at least", tagged)
		}
	})
}

// The order that Terraform cannot see from references is explicit: routes and responses before the deployment,
// permissions before the function, the region's role before access logs.
func TestOrder(t *testing.T) {
	want := map[string][]string{
		"aws_api_gateway_deployment.main": {
			"aws_api_gateway_gateway_response.problem", "aws_api_gateway_integration.route", "aws_api_gateway_method.route",
		},
		"aws_api_gateway_stage.main":     {"aws_api_gateway_account.region"},
		"aws_api_gateway_account.region": {"aws_iam_role_policy_attachment.api_gateway_logs"},
		"aws_lambda_function.main":       {"aws_cloudwatch_log_group.function", "aws_iam_role_policy.function"},
	}
	eachStage(t, func(t *testing.T, _ string, p plan) {
		if diff := cmp.Diff(want, p.DependsOn); diff != "" {
			t.Errorf("order (-want +plan):\n%s", diff)
		}
	})
}

// The values of a stage name it, and outside dev an address for its alarms. The protection of a stage follows from its name.
func TestStageValues(t *testing.T) {
	got := map[string][]string{}
	for path, text := range sourceFiles(t, "envs/*.tfvars") {
		got[path] = regexp.MustCompile(`(?m)^(?:stage|alarm_email) .*`).FindAllString(text, -1)
	}
	want := map[string][]string{
		"envs/dev.tfvars":      {`stage       = "dev"`},
		"envs/emulator.tfvars": {`stage       = "dev"`},
		"envs/prod.tfvars":     {`stage       = "prod"`, `alarm_email = "mobile-platform-oncall@example.com"`},
		"envs/stage.tfvars":    {`stage       = "stage"`, `alarm_email = "mobile-platform-stage@example.com"`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stage and address (-want +got):\n%s", diff)
	}
}

// A module takes its provider from its caller: with a provider block it could not be called twice, nor removed.
func TestModulesHaveNoProvider(t *testing.T) {
	for path, text := range sourceFiles(t, "modules/*/*.tf") {
		if regexp.MustCompile(`(?m)^\s*provider\s+"`).MatchString(text) {
			t.Errorf("%s has a provider block", path)
		}
	}
}

// The runbook explains each alarm: what it means, where to look and what to do.
func TestRunbookHasEveryAlarm(t *testing.T) {
	text, err := os.ReadFile("../docs/infra/device-tokens.md")
	if err != nil {
		t.Fatal(err)
	}
	eachStage(t, func(t *testing.T, stage string, p plan) {
		alarms := p.addresses(t, "aws_cloudwatch_metric_alarm")
		if len(alarms) < 9 {
			t.Errorf("the plan has %d alarms, want 9 at least", len(alarms))
		}
		for _, address := range alarms {
			var v struct {
				Name string `json:"alarm_name"`
			}
			p.decode(t, address, &v)
			name, ok := strings.CutPrefix(v.Name, "device-tokens-"+stage+"-")
			_, section, found := strings.Cut(string(text), "### `…-"+name+"`\n")
			section, _, _ = strings.Cut(section, "\n##")
			for _, part := range []string{"- **Means:** ", "- **First look:** ", "- **Remedy:** "} {
				if !ok || !found || !strings.Contains(section, part) {
					t.Errorf("the runbook has no section on the alarm %s, or no %q in it", v.Name, part)
				}
			}
		}
	})
}

// The document of the access patterns calculates the capacity from the throttle that is deployed.
func TestCapacityKnowsTheThrottle(t *testing.T) {
	text, err := os.ReadFile("../docs/infra/device-token-access-patterns.md")
	if err != nil {
		t.Fatal(err)
	}
	eachStage(t, func(t *testing.T, _ string, p plan) {
		for _, address := range p.addresses(t, "aws_api_gateway_method_settings") {
			var v struct {
				Settings [1]struct {
					Rate float64 `json:"throttling_rate_limit"`
				}
			}
			p.decode(t, address, &v)
			want := fmt.Sprintf("The API's throttle, %.0f requests a second for each method", v.Settings[0].Rate)
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: the document has no %q", address, want)
			}
		}
	})
}

// providerReads has the actions with which the provider reads a resource when it plans, by type. Types of API Gateway
// that are not listed need apigateway:GET.
var providerReads = map[string]string{
	"aws_cloudwatch_dashboard":       "cloudwatch:GetDashboard",
	"aws_cloudwatch_log_group":       "logs:DescribeLogGroups logs:ListTagsForResource",
	"aws_cloudwatch_metric_alarm":    "cloudwatch:DescribeAlarms cloudwatch:ListTagsForResource",
	"aws_dynamodb_table":             "dynamodb:DescribeContinuousBackups dynamodb:DescribeTable dynamodb:DescribeTimeToLive dynamodb:ListTagsOfResource",
	"aws_iam_role":                   "iam:GetRole iam:GetRolePolicy iam:ListAttachedRolePolicies iam:ListRolePolicies",
	"aws_iam_role_policy":            "iam:GetRolePolicy",
	"aws_iam_role_policy_attachment": "iam:ListAttachedRolePolicies",
	"aws_kms_alias":                  "kms:ListAliases",
	"aws_kms_key":                    "kms:DescribeKey kms:GetKeyPolicy kms:GetKeyRotationStatus kms:ListResourceTags",
	"aws_lambda_function":            "lambda:GetFunction lambda:GetFunctionCodeSigningConfig lambda:ListVersionsByFunction",
	"aws_lambda_permission":          "lambda:GetPolicy",
	"aws_sns_topic":                  "sns:GetTopicAttributes sns:ListTagsForResource",
	"aws_sns_topic_policy":           "sns:GetTopicAttributes",
	"aws_sns_topic_subscription":     "sns:GetSubscriptionAttributes",
	"aws_wafv2_web_acl_association":  "wafv2:GetWebACL wafv2:GetWebACLForResource",
}

// The drift workflow's role has the actions that a plan of each case needs, and no others.
func TestDriftPolicyIsWhatAPlanNeeds(t *testing.T) {
	for _, name := range cases {
		t.Run(name, func(t *testing.T) {
			tf := readTerraform(t, name)
			var want, got []string
			for _, r := range at(tf.applied, "resources").([]any) {
				typ := typeOf(at(r, "address").(string))
				actions, ok := providerReads[typ]
				if !ok && strings.HasPrefix(typ, "aws_api_gateway_") {
					actions, ok = "apigateway:GET", true
				}
				if !ok {
					t.Errorf("providerReads has no %s", typ)
				}
				want = append(want, strings.Fields(actions)...)
			}
			var policy struct {
				Statement []struct{ Action []string }
			}
			if err := json.Unmarshal([]byte(at(tf.applied, "outputs", "drift_policy").(string)), &policy); err != nil {
				t.Fatal(err)
			}
			for _, s := range policy.Statement {
				got = slices.Concat(got, s.Action)
			}
			if diff := cmp.Diff(distinct(want), distinct(got)); diff != "" {
				t.Errorf("actions (-plan +policy):\n%s", diff)
			}
		})
	}
}
