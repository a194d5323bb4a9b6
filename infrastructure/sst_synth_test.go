package infrastructure

import (
	"fmt"
	"strings"
	"unicode"
)

// terraformTypes are Pulumi's types with the provider's names for them, and for some
// attributes.
var terraformTypes = map[string]struct {
	name  string
	other map[string]string
}{
	"aws:apigateway/account:Account":                 {"aws_api_gateway_account", nil},
	"aws:apigateway/authorizer:Authorizer":           {"aws_api_gateway_authorizer", nil},
	"aws:apigateway/basePathMapping:BasePathMapping": {"aws_api_gateway_base_path_mapping", map[string]string{"restApi": "api_id"}},
	"aws:apigateway/domainName:DomainName":           {"aws_api_gateway_domain_name", nil},
	"aws:apigateway/deployment:Deployment":           {"aws_api_gateway_deployment", nil},
	"aws:apigateway/integration:Integration":         {"aws_api_gateway_integration", nil},
	"aws:apigateway/method:Method":                   {"aws_api_gateway_method", nil},
	"aws:apigateway/methodSettings:MethodSettings":   {"aws_api_gateway_method_settings", nil},
	"aws:apigateway/resource:Resource":               {"aws_api_gateway_resource", nil},
	"aws:apigateway/response:Response":               {"aws_api_gateway_gateway_response", nil},
	"aws:apigateway/restApi:RestApi":                 {"aws_api_gateway_rest_api", nil},
	"aws:apigateway/stage:Stage":                     {"aws_api_gateway_stage", map[string]string{"deployment": "deployment_id"}},
	"aws:cloudwatch/dashboard:Dashboard":             {"aws_cloudwatch_dashboard", nil},
	"aws:cloudwatch/logGroup:LogGroup":               {"aws_cloudwatch_log_group", nil},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {
		"aws_cloudwatch_metric_alarm", map[string]string{"name": "alarm_name", "metricQueries": "metric_query"},
	},
	"aws:dynamodb/table:Table":     {"aws_dynamodb_table", map[string]string{"attributes": "attribute"}},
	"aws:iam/role:Role":            {"aws_iam_role", map[string]string{"inlinePolicies": "inline_policy"}},
	"aws:kms/alias:Alias":          {"aws_kms_alias", nil},
	"aws:kms/key:Key":              {"aws_kms_key", nil},
	"aws:lambda/function:Function": {"aws_lambda_function", map[string]string{"name": "function_name"}},
	"aws:lambda/permission:Permission": {
		"aws_lambda_permission", map[string]string{"function": "function_name"},
	},
	"aws:s3/bucketObjectv2:BucketObjectv2": {"aws_s3_object", nil},
	"aws:sns/topic:Topic":                  {"aws_sns_topic", nil},
	"aws:sns/topicPolicy:TopicPolicy":      {"aws_sns_topic_policy", nil},
	"aws:sns/topicSubscription:TopicSubscription": {
		"aws_sns_topic_subscription", map[string]string{"topic": "topic_arn"},
	},
	"aws:wafv2/webAclAssociation:WebAclAssociation": {"aws_wafv2_web_acl_association", nil},
	"random:index/randomBytes:RandomBytes":          {"random_bytes", nil},
}

// A synthesis is what SST's components registered.
type synthesis struct {
	App struct {
		Stage   string
		Protect bool
		Removal string
	}
	Outputs   map[string]any
	Resources []registered
}

type registered struct {
	Type, Name, ID          string
	Protect, RetainOnDelete bool
	DependsOn               []string
	Inputs                  map[string]any
}

// form returns the system that SST makes.
func (s synthesis) form() (deployed, error) {
	var all []found
	for _, r := range s.Resources {
		t, ok := terraformTypes[r.Type]
		if !ok {
			return deployed{}, fmt.Errorf("no name for the type %s", r.Type)
		}
		f := found{Type: t.name, Values: map[string]any{}}
		for name, value := range r.Inputs {
			as, ok := t.other[name]
			if !ok {
				as = snake(name)
			}
			// Names of variables, tags, headers and the like are kept.
			if !freeKeys[name] {
				value = snaked(value)
			}
			f.Values[as] = value
		}
		if _, ok := f.Values["rest_api"]; ok {
			f.Values["rest_api_id"] = f.Values["rest_api"]
			delete(f.Values, "rest_api")
		}
		switch t.name {
		case "aws_iam_role":
			f.Identifiers = []string{"arn:aws:iam::000000000000:role/" + r.ID}
		case "aws_kms_key", "aws_api_gateway_resource", "aws_api_gateway_authorizer", "aws_api_gateway_deployment":
			f.Identifiers = []string{r.ID}
		case "aws_api_gateway_rest_api":
			f.Identifiers = []string{r.ID, r.ID + "-root"}
		}
		// Pulumi has the one type for the provider's list of one.
		if endpoint, ok := f.Values["endpoint_configuration"].(map[string]any); ok {
			endpoint["types"] = []any{endpoint["types"]}
		}
		all = append(all, f)
	}
	outputs := map[string]any{}
	for name, value := range s.Outputs {
		outputs[snake(name)] = snaked(value)
	}
	return formed(all, outputs)
}

// freeKeys are the attributes whose members' names are data.
var freeKeys = map[string]bool{
	"assumeRolePolicy": true, "dimensions": true, "responseParameters": true, "responseTemplates": true,
	"source": true, "tags": true, "triggers": true, "variables": true,
}

// snaked returns the value with the names of its members as the provider has them.
func snaked(value any) any {
	switch v := value.(type) {
	case map[string]any:
		renamed := map[string]any{}
		for name, member := range v {
			if !freeKeys[name] {
				member = snaked(member)
			}
			renamed[snake(name)] = member
		}
		return renamed
	case []any:
		renamed := make([]any, len(v))
		for i, element := range v {
			renamed[i] = snaked(element)
		}
		return renamed
	}
	return value
}

// snake is the name that a property has as an attribute: camelCase as camel_case.
func snake(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
