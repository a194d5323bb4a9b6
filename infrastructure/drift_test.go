package infrastructure

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// reads has, for each type of resource, the actions by which the provider reads one
// when it plans.
var reads = map[string][]string{
	"aws_api_gateway_account":           {"apigateway:GET"},
	"aws_api_gateway_authorizer":        {"apigateway:GET"},
	"aws_api_gateway_base_path_mapping": {"apigateway:GET"},
	"aws_api_gateway_deployment":        {"apigateway:GET"},
	"aws_api_gateway_domain_name":       {"apigateway:GET"},
	"aws_api_gateway_gateway_response":  {"apigateway:GET"},
	"aws_api_gateway_integration":       {"apigateway:GET"},
	"aws_api_gateway_method":            {"apigateway:GET"},
	"aws_api_gateway_method_settings":   {"apigateway:GET"},
	"aws_api_gateway_resource":          {"apigateway:GET"},
	"aws_api_gateway_rest_api":          {"apigateway:GET"},
	"aws_api_gateway_stage":             {"apigateway:GET"},
	"aws_cloudwatch_dashboard":          {"cloudwatch:GetDashboard"},
	"aws_cloudwatch_log_group":          {"logs:DescribeLogGroups", "logs:ListTagsForResource"},
	"aws_cloudwatch_metric_alarm":       {"cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"},
	"aws_dynamodb_table": {
		"dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:ListTagsOfResource",
	},
	"aws_iam_role":                   {"iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"},
	"aws_iam_role_policy":            {"iam:GetRolePolicy"},
	"aws_iam_role_policy_attachment": {"iam:ListAttachedRolePolicies"},
	"aws_kms_alias":                  {"kms:ListAliases"},
	"aws_kms_key":                    {"kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"},
	"aws_lambda_function":            {"lambda:GetFunction", "lambda:GetFunctionCodeSigningConfig", "lambda:ListVersionsByFunction"},
	"aws_lambda_permission":          {"lambda:GetPolicy"},
	"aws_sns_topic":                  {"sns:GetTopicAttributes", "sns:ListTagsForResource"},
	"aws_sns_topic_policy":           {"sns:GetTopicAttributes"},
	"aws_sns_topic_subscription":     {"sns:GetSubscriptionAttributes"},
	"aws_wafv2_web_acl_association":  {"wafv2:GetWebACL", "wafv2:GetWebACLForResource"},
}

// The role of the drift workflow may do what a plan of each case needs, and nothing else.
func TestDriftPolicyIsWhatAPlanNeeds(t *testing.T) {
	for _, name := range cases {
		t.Run(name, func(t *testing.T) {
			tf := readTerraform(t, name)
			var want []string
			for _, r := range at(tf.applied, "resources").([]any) {
				typ := typeOf(at(r, "address").(string))
				actions, ok := reads[typ]
				if !ok {
					t.Errorf("no actions are known by which the provider reads %s", typ)
				}
				want = append(want, actions...)
			}
			var policy struct {
				Statement []struct{ Action []string }
			}
			if err := json.Unmarshal([]byte(at(tf.applied, "outputs", "drift_policy").(string)), &policy); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range policy.Statement {
				got = append(got, s.Action...)
			}
			if diff := cmp.Diff(distinct(want), distinct(got)); diff != "" {
				t.Errorf("actions (-plan +policy):\n%s", diff)
			}
		})
	}
}

func distinct(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}
