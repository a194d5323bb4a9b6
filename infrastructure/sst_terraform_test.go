package infrastructure

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
)

// A planned configuration is what SST is compared with: what each resource's block
// says, by the plan, and the values, which are known after an apply.
type terraform struct {
	plan    map[string]any
	applied map[string]any
}

// form returns the system that Terraform makes.
func (tf terraform) form() (deployed, error) {
	blocks := map[string]map[string]any{}
	collect(at(tf.plan, "configuration", "root_module"), blocks)

	var all []found
	roles := map[string]map[string]any{}
	var policies, attachments []map[string]any
	for _, element := range at(tf.applied, "resources").([]any) {
		resource := element.(map[string]any)
		address := resource["address"].(string)
		block, ok := blocks[withoutIndex(address)]
		if !ok {
			return deployed{}, fmt.Errorf("the plan has no block for %s", address)
		}
		values := resource["values"].(map[string]any)
		r := found{Type: typeOf(address), Values: said(values, block)}
		switch r.Type {
		case "aws_iam_role_policy":
			policies = append(policies, r.Values)
			continue
		case "aws_iam_role_policy_attachment":
			attachments = append(attachments, r.Values)
			continue
		case "aws_iam_role":
			roles[values["name"].(string)] = r.Values
			r.Identifiers = []string{values["arn"].(string)}
		case "aws_kms_key", "aws_api_gateway_resource", "aws_api_gateway_authorizer", "aws_api_gateway_deployment":
			r.Identifiers = []string{values["id"].(string)}
		case "aws_api_gateway_rest_api":
			r.Identifiers = []string{values["id"].(string), values["root_resource_id"].(string)}
		}
		all = append(all, r)
	}

	// A role with its policies is one resource with SST.
	for _, policy := range policies {
		role, ok := roles[policy["role"].(string)]
		if !ok || role["inline_policy"] != nil {
			return deployed{}, errors.New("a policy has no role, or a role two policies")
		}
		role["inline_policy"] = map[string]any{"name": policy["name"], "policy": policy["policy"]}
	}
	for _, attachment := range attachments {
		role := roles[attachment["role"].(string)]
		list, _ := role["managed_policy_arns"].([]any)
		role["managed_policy_arns"] = append(list, attachment["policy_arn"])
	}
	return formed(all, tf.applied["outputs"].(map[string]any))
}

// collect adds the expressions of each resource's block by its address.
func collect(module any, blocks map[string]map[string]any) {
	m, _ := module.(map[string]any)
	resources, _ := m["resources"].([]any)
	for _, element := range resources {
		r := element.(map[string]any)
		blocks[r["address"].(string)], _ = r["expressions"].(map[string]any) // none where the block is empty
	}
	calls, _ := m["module_calls"].(map[string]any)
	for name, call := range calls {
		inner := map[string]map[string]any{}
		collect(at(call, "module"), inner)
		for address, block := range inner {
			blocks["module."+name+"."+address] = block
		}
	}
}

// said returns those of the values that the block has an expression for: not what the
// provider fills in.
func said(values, block map[string]any) map[string]any {
	kept := map[string]any{}
	for name, expression := range block {
		value, ok := values[name]
		// The stand-in's word for what an expression leaves to AWS.
		if made, _ := value.(string); !ok || strings.HasPrefix(made, "offline-") {
			continue
		}
		inner, nested := expression.([]any)
		elements, _ := value.([]any)
		// A block that a dynamic one adds has no expressions in a plan: it is taken whole.
		if nested && len(inner) == len(elements) {
			var list []any
			for i, element := range elements {
				all := maps.Clone(inner[i].(map[string]any))
				for _, other := range inner {
					maps.Copy(all, other.(map[string]any))
				}
				list = append(list, said(element.(map[string]any), all))
			}
			value = list
		}
		kept[name] = value
	}
	return kept
}

// at goes down the members of a JSON object.
func at(value any, path ...string) any {
	for _, name := range path {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value
}

func withoutIndex(address string) string {
	before, _, _ := strings.Cut(address, "[")
	return before
}

// typeOf is the type in an address such as module.storage.aws_dynamodb_table.main.
func typeOf(address string) string {
	parts := strings.Split(withoutIndex(address), ".")
	return parts[len(parts)-2]
}

// clone returns a copy of a JSON value, to be changed.
func clone[T any](value T) T {
	var copied T
	if err := json.Unmarshal([]byte(text(value)), &copied); err != nil {
		panic(err) // what was read as JSON can be read again
	}
	return copied
}

// A purpose is why the two differ in something. Terraform and SST are the values as
// JSON, "" for none, or any for every value.
type purpose struct {
	At             string // a regular expression for the whole of difference.At
	Terraform, SST string
	Why            string
}

const anything = "any"

// onPurpose is all that may differ.
var onPurpose = []purpose{
	{"aws_lambda_function (filename)", anything, "", "Terraform uploads the zip with the function"},
	{"aws_lambda_function (s3_bucket|s3_key)", "", anything, "SST puts the zip into its asset bucket, under a name with its hash"},
	{"aws_s3_object", "", "there", "the zip in SST's asset bucket"},
	{"aws_lambda_function ephemeral_storage", "", `{"size":512}`, "SST says what is Lambda's default"},
	{"aws_lambda_function publish", "", "false", "SST says what is Lambda's default"},
	{
		"aws_lambda_function logging_config", "", `{"log_format":"Text","log_group":"/aws/lambda/device-tokens-STAGE"}`,
		"SST says what are Lambda's defaults: plain text, into the group with the function's name",
	},
	{"random_bytes", "", "there", "SST makes a key for links, of which there are none; the function does not get it"},
	{
		`aws_cloudwatch_metric_alarm\[device-tokens-(dev|dev-restored|stage|prod)-(read|write)-throttling\] datapoints_to_alarm`, "", "1",
		"as many as the periods, which is CloudWatch's default",
	},
	{`aws_iam_role\[lambda.amazonaws.com\] inline_policy name`, `"table-and-logs"`, `"inline"`, "SST names the policy in a role"},
	{
		"aws_api_gateway_deployment triggers routes|output deployment_trigger", anything, anything,
		"each has a digest of its own of what is deployed: it is compared with the one before, never with the other",
	},
	{
		`aws_iam_role\[apigateway.amazonaws.com\] (name|description)`, anything, "",
		"SST makes the region's role itself, where the account has none, and leaves it behind: it is not this deployment's",
	},
	{"output drift_policy", anything, "", "the drift workflow plans with Terraform"},
	{"output _protect", "", anything, "SST's own, for its command line"},
}

var stageName = regexp.MustCompile(`device-tokens-(dev|stage|prod)`)

func (p purpose) explains(d difference) bool {
	matches := func(want, got string) bool {
		return want == got || want == anything && got != "" || want == stageName.ReplaceAllString(got, "device-tokens-STAGE")
	}
	return matches(p.Terraform, d.Terraform) && matches(p.SST, d.SST) && regexp.MustCompile("^(?:"+p.At+")$").MatchString(d.At)
}
