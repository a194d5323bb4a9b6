// Package infrastructure holds the Terraform to the library: tests compare what
// docs/evidence/infra says of the plans with what the Go code does. That the
// evidence is up to date, `make evidence-check` holds.
package infrastructure

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// stages are the plans that are kept as evidence.
var stages = map[string]string{
	"dev":   "device-token-plan-dev.json",
	"stage": "device-token-plan-stage.json",
	"prod":  "device-token-plan.json",
}

const evidence = "../docs/evidence/infra/"

// A plan is what the tests look at in `terraform show -json` of a plan.
type plan struct {
	PlannedValues struct {
		Outputs    map[string]struct{ Value json.RawMessage }
		RootModule module `json:"root_module"`
	} `json:"planned_values"`
	Configuration struct {
		RootModule struct {
			Resources []struct {
				Address   string
				DependsOn []string `json:"depends_on"`
			}
		} `json:"root_module"`
	}
}

type module struct {
	Resources    []resource
	ChildModules []module `json:"child_modules"`
}

// A resource as planned: what is only known after an apply is not in Values.
type resource struct {
	Address string
	Type    string
	Values  map[string]json.RawMessage
}

// eachStage runs the test for each stage's plan.
func eachStage(t *testing.T, test func(t *testing.T, stage string, p plan)) {
	for stage, file := range stages {
		t.Run(stage, func(t *testing.T) {
			text, err := os.ReadFile(evidence + file)
			if err != nil {
				t.Fatal(err)
			}
			var p plan
			if err := json.Unmarshal(text, &p); err != nil {
				t.Fatal(err)
			}
			test(t, stage, p)
		})
	}
}

// resources returns the planned resources of all modules whose type begins so.
func (p plan) resources(prefix string) []resource {
	var all []resource
	var walk func(module)
	walk = func(m module) {
		for _, r := range m.Resources {
			if strings.HasPrefix(r.Type, prefix) {
				all = append(all, r)
			}
		}
		for _, child := range m.ChildModules {
			walk(child)
		}
	}
	walk(p.PlannedValues.RootModule)
	return all
}

// only returns the one planned resource of that type.
func (p plan) only(t *testing.T, typ string) resource {
	t.Helper()
	all := p.resources(typ)
	if len(all) != 1 {
		t.Fatalf("the plan has %d resources of type %s, want 1", len(all), typ)
	}
	return all[0]
}

// decode reads the resource's values into v.
func (r resource) decode(t *testing.T, v any) {
	t.Helper()
	text, err := json.Marshal(r.Values)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("%s: %v", r.Address, err)
	}
}
