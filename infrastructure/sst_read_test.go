package infrastructure

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"unicode"
)

// A terraform is a configuration of Terraform: the plan has the expressions of each block, and applied the values.
type terraform struct {
	plan    map[string]any
	applied map[string]any
}

// form returns the system that Terraform makes.
func (tf terraform) form() (deployed, error) {
	blocks := map[string]map[string]any{}
	collect(at(tf.plan, "configuration", "root_module"), "", blocks)

	var all []found
	roles := map[any]map[string]any{}
	var parts []found // of roles
	for _, r := range at(tf.applied, "resources").([]any) {
		address := at(r, "address").(string)
		block, ok := blocks[withoutIndex(address)]
		if !ok {
			return deployed{}, fmt.Errorf("the plan has no block for %s", address)
		}
		values := at(r, "values").(map[string]any)
		f := found{Type: typeOf(address), Values: configured(values, block)}
		switch f.Type {
		case "aws_iam_role_policy", "aws_iam_role_policy_attachment":
			parts = append(parts, f)
			continue
		case "aws_iam_role":
			roles[values["name"]] = f.Values
		}
		for _, name := range identifiers[f.Type] {
			f.Identifiers = append(f.Identifiers, values[name].(string))
		}
		all = append(all, f)
	}

	// In SST a role and its policies are one resource.
	for _, part := range parts {
		role, ok := roles[part.Values["role"]]
		if !ok || part.Type == "aws_iam_role_policy" && role["inline_policy"] != nil {
			return deployed{}, errors.New("a policy has no role, or a role two policies")
		}
		if part.Type == "aws_iam_role_policy" {
			role["inline_policy"] = map[string]any{"name": part.Values["name"], "policy": part.Values["policy"]}
		} else {
			list, _ := role["managed_policy_arns"].([]any)
			role["managed_policy_arns"] = append(list, part.Values["policy_arn"])
		}
	}
	return formed(all, tf.applied["outputs"].(map[string]any))
}

// identifiers are the attributes by which other resources refer to one of the type.
var identifiers = map[string][]string{
	"aws_iam_role":               {"arn"},
	"aws_kms_key":                {"id"},
	"aws_api_gateway_resource":   {"id"},
	"aws_api_gateway_authorizer": {"id"},
	"aws_api_gateway_deployment": {"id"},
	"aws_api_gateway_rest_api":   {"id", "root_resource_id"},
}

// collect adds the expressions of each resource's block by its address.
func collect(module any, prefix string, blocks map[string]map[string]any) {
	resources, _ := at(module, "resources").([]any)
	for _, r := range resources {
		blocks[prefix+at(r, "address").(string)], _ = at(r, "expressions").(map[string]any) // none in an empty block
	}
	calls, _ := at(module, "module_calls").(map[string]any)
	for name, call := range calls {
		collect(at(call, "module"), prefix+"module."+name+".", blocks)
	}
}

// configured returns the values that the block has an expression for, without those that the provider fills in.
func configured(values, block map[string]any) map[string]any {
	kept := map[string]any{}
	for name, expression := range block {
		value, ok := values[name]
		// The stand-in for the provider makes up such a value where an expression leaves it to AWS.
		if made, _ := value.(string); !ok || strings.HasPrefix(made, "offline-") {
			continue
		}
		inner, nested := expression.([]any)
		elements, _ := value.([]any)
		// A plan has no expressions of a dynamic block, whose values are all taken.
		if nested && len(inner) == len(elements) {
			var list []any
			for i, element := range elements {
				all := maps.Clone(inner[i].(map[string]any))
				for _, other := range inner {
					maps.Copy(all, other.(map[string]any))
				}
				list = append(list, configured(element.(map[string]any), all))
			}
			value = list
		}
		kept[name] = value
	}
	return kept
}

// A synthesis has the resources that SST's components registered.
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
		f := found{Type: r.terraformType(), Values: map[string]any{}}
		for name, value := range r.Inputs {
			as, ok := attributes[f.Type][name]
			if !ok {
				as = snake(name)
			}
			if !freeKeys[name] {
				value = snaked(value)
			}
			f.Values[as] = value
		}
		if api, ok := f.Values["rest_api"]; ok {
			f.Values["rest_api_id"] = api
			delete(f.Values, "rest_api")
		}
		for _, name := range identifiers[f.Type] {
			f.Identifiers = append(f.Identifiers, map[string]string{
				"id": r.ID, "arn": "arn:aws:iam::000000000000:role/" + r.ID, "root_resource_id": r.ID + "-root",
			}[name])
		}
		// Pulumi has one type where the provider has a list of one.
		if endpoint, ok := f.Values["endpoint_configuration"].(map[string]any); ok {
			endpoint["types"] = []any{endpoint["types"]}
		}
		all = append(all, f)
	}
	outputs, _ := snaked(s.Outputs).(map[string]any)
	return formed(all, outputs)
}

// terraformType returns the provider's name for a type of Pulumi, such as aws:kms/key:Key.
func (r registered) terraformType() string {
	parts := strings.FieldsFunc(r.Type, func(c rune) bool { return c == ':' || c == '/' })
	switch name := parts[0] + "_" + parts[1] + "_" + snake(parts[2]); name {
	case "aws_apigateway_response":
		return "aws_api_gateway_gateway_response"
	case "random_index_random_bytes":
		return "random_bytes"
	default:
		return strings.Replace(name, "aws_apigateway_", "aws_api_gateway_", 1)
	}
}

// attributes has the provider's names for properties, where they are not the same in snake case, by type.
var attributes = map[string]map[string]string{
	"aws_api_gateway_base_path_mapping": {"restApi": "api_id"},
	"aws_api_gateway_stage":             {"deployment": "deployment_id"},
	"aws_cloudwatch_metric_alarm":       {"name": "alarm_name", "metricQueries": "metric_query"},
	"aws_dynamodb_table":                {"attributes": "attribute"},
	"aws_iam_role":                      {"inlinePolicies": "inline_policy"},
	"aws_lambda_function":               {"name": "function_name"},
	"aws_lambda_permission":             {"function": "function_name"},
	"aws_sns_topic_subscription":        {"topic": "topic_arn"},
}

// freeKeys are the properties whose members are named by data, such as tags.
var freeKeys = map[string]bool{
	"assumeRolePolicy": true, "dimensions": true, "responseParameters": true, "responseTemplates": true,
	"source": true, "tags": true, "triggers": true, "variables": true,
}

// snaked returns the value with the provider's names of its members.
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

// snake returns a camelCase name as camel_case.
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

// at returns the member at the path in a JSON object, or nil.
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

// typeOf returns the type in an address such as module.storage.aws_dynamodb_table.main.
func typeOf(address string) string {
	parts := strings.Split(withoutIndex(address), ".")
	return parts[len(parts)-2]
}
