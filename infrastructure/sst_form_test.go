package infrastructure

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A deployed system has the configured values of each resource, with the provider's names and without values that AWS
// sets, so that Terraform's and SST's can be compared.
type deployed struct {
	Resources map[string]map[string]any // by Terraform's type and identity
	Outputs   map[string]any
}

// identity has the attribute that distinguishes the resources of a type, where a system has several.
var identity = map[string]string{
	"aws_api_gateway_gateway_response": "response_type",
	"aws_api_gateway_integration":      "http_method",
	"aws_api_gateway_method":           "http_method",
	"aws_api_gateway_resource":         "path_part",
	"aws_cloudwatch_log_group":         "name",
	"aws_cloudwatch_metric_alarm":      "alarm_name",
	"aws_lambda_permission":            "statement_id",
}

// A found resource is not yet in that form. Other resources refer to it by its identifiers.
type found struct {
	Type        string
	Values      map[string]any
	Identifiers []string
}

// formed returns the resources and outputs in the form of deployed.
func formed(resources []found, outputs map[string]any) (deployed, error) {
	names := map[string]string{}
	all := map[string]map[string]any{}
	for _, r := range resources {
		values := plain(r.Values, "").(map[string]any)
		name := r.Type
		if by, ok := identity[r.Type]; ok {
			name += fmt.Sprintf("[%v]", values[by])
		} else if r.Type == "aws_iam_role" {
			name += fmt.Sprintf("[%s]", trusted(values))
		}
		if _, ok := all[name]; ok {
			return deployed{}, fmt.Errorf("%s is there twice", name)
		}
		all[name] = values
		for i, id := range r.Identifiers {
			names[id] = fmt.Sprintf("<%s %d>", name, i)
		}
	}

	d := deployed{Resources: map[string]map[string]any{}, Outputs: map[string]any{}}
	refer := referring(names)
	for name, values := range all {
		d.Resources[name] = refer(values).(map[string]any)
	}
	for name, value := range outputs {
		d.Outputs[name] = refer(plain(value, ""))
	}
	return d, nil
}

// trusted returns the services that may assume a role, in any form of the policy.
func trusted(role map[string]any) string {
	text := fmt.Sprint(role["assume_role_policy"])
	return strings.Join(regexp.MustCompile(`[a-z]+\.amazonaws\.com`).FindAllString(text, -1), ",")
}

// plain returns the value without null and empty parts, with a block for a list of one block, and with JSON documents
// parsed and sets sorted.
func plain(value any, key string) any {
	switch v := value.(type) {
	case map[string]any:
		kept := map[string]any{}
		for name, member := range v {
			if member = plain(member, name); member != nil {
				kept[name] = member
			}
		}
		if _, policy := kept["Statement"]; policy {
			return plainPolicy(kept)
		}
		if len(kept) == 0 && key != "" {
			return nil
		}
		return kept
	case []any:
		var kept []any
		for _, element := range v {
			if element = plain(element, ""); element != nil {
				kept = append(kept, element)
			}
		}
		if len(kept) == 0 {
			return nil
		}
		if block, ok := kept[0].(map[string]any); ok && len(kept) == 1 && !multiple[key] {
			return block
		}
		if sets[key] {
			slices.SortFunc(kept, func(a, b any) int { return cmp.Compare(text(a), text(b)) })
		}
		return kept
	case string:
		var document map[string]any
		if strings.HasPrefix(v, "{") && json.Unmarshal([]byte(v), &document) == nil {
			return plain(document, "")
		}
		if v == "" {
			return nil
		}
		return v
	default:
		return v
	}
}

// sets are the lists whose order has no meaning.
var sets = map[string]bool{
	"alarm_actions": true, "ok_actions": true, "architectures": true, "attribute": true, "authorization_scopes": true,
	"managed_policy_arns": true, "metric_query": true, "provider_arns": true, "types": true,
	"Action": true, "Resource": true, "kms:EncryptionContext:aws:logs:arn": true,
}

// multiple are the lists that stay lists with one element.
var multiple = map[string]bool{"Statement": true, "widgets": true}

// plainPolicy returns a policy without the names of its statements, with them sorted, and with lists for single values.
func plainPolicy(policy map[string]any) map[string]any {
	lists := func(of any, keys ...string) {
		object, _ := of.(map[string]any)
		if len(keys) == 0 {
			keys = slices.Collect(maps.Keys(object))
		}
		for _, key := range keys {
			if v, ok := object[key].(string); ok {
				object[key] = []any{v}
			}
		}
	}
	statements, _ := policy["Statement"].([]any)
	for _, s := range statements {
		statement, _ := s.(map[string]any)
		delete(statement, "Sid")
		lists(statement, "Action", "Resource")
		lists(statement["Principal"])
		conditions, _ := statement["Condition"].(map[string]any)
		for _, variables := range conditions {
			lists(variables)
		}
	}
	slices.SortFunc(statements, func(a, b any) int { return cmp.Compare(text(a), text(b)) })
	return policy
}

// referring returns a function that replaces identifiers by names everywhere in a value, the longest first.
func referring(names map[string]string) func(any) any {
	ids := slices.SortedFunc(maps.Keys(names), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	var alternatives []string
	for _, id := range ids {
		alternatives = append(alternatives, regexp.QuoteMeta(id))
	}
	pattern := regexp.MustCompile(`\b(` + strings.Join(alternatives, "|") + `)\b`)
	var refer func(any) any
	refer = func(value any) any {
		switch v := value.(type) {
		case map[string]any:
			for key, member := range v {
				v[key] = refer(member)
			}
		case []any:
			for i, element := range v {
				v[i] = refer(element)
			}
		case string:
			if len(ids) > 0 {
				return pattern.ReplaceAllStringFunc(v, func(id string) string { return names[id] })
			}
		}
		return value
	}
	return refer
}

// text returns the value as JSON with sorted members.
func text(value any) string {
	t, err := json.Marshal(value)
	if err != nil {
		panic(err) // what was read as JSON can be written
	}
	return string(t)
}
