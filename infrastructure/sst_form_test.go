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

// A deployed system in the form in which Terraform's and SST's are compared: of each
// resource what the configuration says, with the provider's names and with nothing in
// it that a deployment makes up.
type deployed struct {
	Resources map[string]map[string]any // by Terraform's type, and what tells it from others of that type
	Outputs   map[string]any
}

// identity is the attribute that tells a resource from others of its type, where a
// system has several.
var identity = map[string]string{
	"aws_api_gateway_gateway_response": "response_type",
	"aws_api_gateway_integration":      "http_method",
	"aws_api_gateway_method":           "http_method",
	"aws_api_gateway_resource":         "path_part",
	"aws_cloudwatch_log_group":         "name",
	"aws_cloudwatch_metric_alarm":      "alarm_name",
	"aws_lambda_permission":            "statement_id",
}

// A found resource is one that is not yet in that form. Its identifiers are what
// others refer to it by.
type found struct {
	Type        string
	Values      map[string]any
	Identifiers []string
}

// formed brings what was found into the form.
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

// trusted is the service that may assume a role, in any form of the policy.
func trusted(role map[string]any) string {
	text := fmt.Sprint(role["assume_role_policy"])
	return strings.Join(regexp.MustCompile(`[a-z]+\.amazonaws\.com`).FindAllString(text, -1), ",")
}

// plain returns the value without null and empty parts, with a block for a list of
// one block, and with JSON documents and sets in one order.
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

// sets are the lists whose order says nothing; the one of a dashboard's widgets does.
var sets = map[string]bool{
	"alarm_actions": true, "ok_actions": true, "architectures": true, "attribute": true, "authorization_scopes": true,
	"managed_policy_arns": true, "metric_query": true, "provider_arns": true, "types": true,
	"Action": true, "Resource": true, "kms:EncryptionContext:aws:logs:arn": true,
}

// multiple are the lists that keep their form with one element.
var multiple = map[string]bool{"Statement": true, "widgets": true}

// plainPolicy returns a policy in which an order that says nothing, a statement's name
// and a list of one do not differ from another policy's.
func plainPolicy(policy map[string]any) map[string]any {
	list := func(v any) any {
		if s, ok := v.(string); ok {
			return []any{s}
		}
		return v
	}
	statements, _ := policy["Statement"].([]any)
	for _, s := range statements {
		statement, _ := s.(map[string]any)
		delete(statement, "Sid")
		for _, key := range []string{"Action", "Resource"} {
			if v, ok := statement[key]; ok {
				statement[key] = list(v)
			}
		}
		principals, _ := statement["Principal"].(map[string]any)
		for kind, v := range principals {
			principals[kind] = list(v)
		}
		conditions, _ := statement["Condition"].(map[string]any)
		for _, c := range conditions {
			variables, _ := c.(map[string]any)
			for variable, v := range variables {
				variables[variable] = list(v)
			}
		}
	}
	slices.SortFunc(statements, func(a, b any) int { return cmp.Compare(text(a), text(b)) })
	return policy
}

// referring returns a function that puts names for identifiers wherever they stand in
// a value, the longest first.
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

// text is the value as JSON, whose members are sorted.
func text(value any) string {
	t, err := json.Marshal(value)
	if err != nil {
		panic(err) // what was read as JSON can be written
	}
	return string(t)
}
