package infrastructure

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every planned resource that can carry tags carries the four, with the stage's
// values.
func TestTags(t *testing.T) {
	eachStage(t, func(t *testing.T, stage string, p plan) {
		want := map[string]string{
			"Project": "device-tokens", "Env": stage, "Owner": "mobile-platform", "CostCenter": "cc-1234",
		}
		tagged := 0
		for _, r := range p.resources("aws_") {
			text, ok := r.Values["tags"]
			if !ok {
				continue
			}
			tagged++
			var got map[string]string
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("tags of %s (-want +plan):\n%s", r.Address, diff)
			}
		}
		// The table, the key, the function, its role, two log groups, the API, its
		// stage, the topic and nine alarms.
		if tagged < 18 {
			t.Errorf("%d resources carry tags, want 18 at least", tagged)
		}
	})
}

// What Terraform cannot tell from references is said: no deployment before the
// routes and responses in it, no invocation before the permissions, no access log
// before the region's role.
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
		got := map[string][]string{}
		for _, r := range p.Configuration.RootModule.Resources {
			if len(r.DependsOn) > 0 {
				got[r.Address] = r.DependsOn
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("order (-want +plan):\n%s", diff)
		}
	})
}

// A module takes its provider from the configuration that calls it. With a provider
// block of its own it could not be called twice, nor removed.
func TestModulesHaveNoProvider(t *testing.T) {
	files, err := filepath.Glob("modules/*/*.tf")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files of modules: %v", len(files), err)
	}
	provider := regexp.MustCompile(`(?m)^\s*provider\s+"`)
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if provider.Match(text) {
			t.Errorf("%s has a provider block", path)
		}
	}
}

// The runbook says of each alarm what it means, where to look and what to do.
func TestRunbookHasEveryAlarm(t *testing.T) {
	text, err := os.ReadFile("../docs/infra/device-tokens.md")
	if err != nil {
		t.Fatal(err)
	}
	eachStage(t, func(t *testing.T, stage string, p plan) {
		alarms := p.resources("aws_cloudwatch_metric_alarm")
		if len(alarms) < 9 {
			t.Errorf("the plan has %d alarms, want 9 at least", len(alarms))
		}
		for _, r := range alarms {
			var v struct {
				Name string `json:"alarm_name"`
			}
			r.decode(t, &v)
			name, ok := strings.CutPrefix(v.Name, "device-tokens-"+stage+"-")
			_, section, found := strings.Cut(string(text), "### `…-"+name+"`\n")
			if !ok || !found {
				t.Errorf("the runbook has no section on the alarm %s", v.Name)
				continue
			}
			section, _, _ = strings.Cut(section, "\n##")
			for _, part := range []string{"- **Means:** ", "- **First look:** ", "- **Remedy:** "} {
				if !strings.Contains(section, part) {
					t.Errorf("the runbook's section on the alarm %s has no %q", v.Name, part)
				}
			}
		}
	})
}

// The capacity in the document of the access patterns is reckoned with the
// throttle that is deployed. The document is held to its generator by a test of
// dynamostore.
func TestCapacityKnowsTheThrottle(t *testing.T) {
	text, err := os.ReadFile("../docs/infra/device-token-access-patterns.md")
	if err != nil {
		t.Fatal(err)
	}
	eachStage(t, func(t *testing.T, _ string, p plan) {
		methods := p.resources("aws_api_gateway_method_settings")
		if len(methods) == 0 {
			t.Fatal("the plan has no method settings")
		}
		for _, r := range methods {
			var v struct {
				Settings []struct {
					Rate float64 `json:"throttling_rate_limit"`
				}
			}
			r.decode(t, &v)
			for _, s := range v.Settings {
				if says := fmt.Sprintf("The API's throttle, %.0f requests a second for each method", s.Rate); !strings.Contains(string(text), says) {
					t.Errorf("%s: the document does not say %q", r.Address, says)
				}
			}
			if len(v.Settings) == 0 {
				t.Errorf("%s has no settings", r.Address)
			}
		}
	})
}
