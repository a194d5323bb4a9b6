// Package infrastructure compares the plan of each stage with the library, and with the resources that SST registers.
// The plan of dev is docs/evidence/infra/device-token-plan.json. `make evidence-check` and `make sst-check` write the
// others, and SST's resources, into .cache/plans.
package infrastructure

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

const plans = "../.cache/plans/"

// A plan has the values that a stage's plan sets: those known only after an apply, nulls and empty lists are left out.
type plan struct {
	Outputs   map[string]json.RawMessage
	DependsOn map[string][]string        `json:"depends_on"`
	Resources map[string]json.RawMessage // by address; "[*]" has what all resources of a for_each share
}

// eachStage runs the test for each stage's plan.
func eachStage(t *testing.T, test func(t *testing.T, stage string, p plan)) {
	for _, stage := range []string{"dev", "stage", "prod"} {
		t.Run(stage, func(t *testing.T) {
			path := "../docs/evidence/infra/device-token-plan.json"
			if stage != "dev" {
				path = made(t, "values-"+stage+".json")
			}
			var p plan
			readJSON(t, path, &p)
			test(t, stage, p)
		})
	}
}

// addresses returns the sorted addresses of the planned resources whose type has the prefix, at least one.
func (p plan) addresses(t *testing.T, typ string) []string {
	t.Helper()
	all := slices.DeleteFunc(slices.Sorted(maps.Keys(p.Resources)), func(address string) bool {
		return strings.HasSuffix(address, "[*]") || !strings.HasPrefix(typeOf(address), typ)
	})
	if len(all) == 0 {
		t.Fatalf("the plan has no %s", typ)
	}
	return all
}

// decode reads the values of the resource at the address into v.
func (p plan) decode(t *testing.T, address string, v any) {
	t.Helper()
	for _, part := range []string{withoutIndex(address) + "[*]", address} {
		text, ok := p.Resources[part]
		if !ok && part == address {
			t.Fatalf("the plan has no %s", address)
		}
		if err := json.Unmarshal(text, v); ok && err != nil {
			t.Fatalf("%s: %v", part, err)
		}
	}
}

// made returns the path of a file in .cache/plans. It skips the test if the file is missing or made from other sources.
// Under CI it fails instead, unless WITHOUT_PLANS is set because the machine has no provider to plan with.
func made(t *testing.T, name string) string {
	t.Helper()
	kind, command := "terraform", "make evidence-check"
	if strings.HasPrefix(name, "sst-") {
		kind, command = "sst", "make sst-check"
	}
	stamp, err := os.ReadFile(plans + kind + ".sha256")
	if err == nil && string(stamp) == sources[kind]() {
		return plans + name
	}
	if os.Getenv("CI") != "" && os.Getenv("WITHOUT_PLANS") == "" {
		t.Fatalf("no %s of these sources: run %s", name, command)
	}
	t.Skipf("no %s of these sources: run %s", name, command)
	return ""
}

// sources returns the digests of the files from which Terraform plans, or SST synthesises.
var sources = map[string]func() string{"terraform": digests("terraform"), "sst": digests("sst")}

func digests(kind string) func() string {
	return sync.OnceValue(func() string {
		out, err := exec.Command("bash", "-c", "source scripts/lib.sh && sources "+kind).Output()
		if err != nil {
			return err.Error()
		}
		return string(out)
	})
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
