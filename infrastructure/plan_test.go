// Package infrastructure holds the Terraform to the library: its tests compare the
// plan of each stage with what the Go code does, and with what SST registers. The
// plan of dev is docs/evidence/infra/device-token-plan.json; the others, and what SST
// registers, are made in .cache/plans by `make evidence-check` and `make sst-check`.
package infrastructure

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	evidence = "../docs/evidence/infra/"
	plans    = "../.cache/plans/"
)

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

// A resource is a planned resource. Values lacks those that are known only after an
// apply.
type resource struct {
	Address string
	Type    string
	Values  map[string]json.RawMessage
}

// eachStage runs the test for each stage's plan.
func eachStage(t *testing.T, test func(t *testing.T, stage string, p plan)) {
	for _, stage := range []string{"dev", "stage", "prod"} {
		t.Run(stage, func(t *testing.T) {
			path := evidence + "device-token-plan.json"
			if stage != "dev" {
				path = made(t, "plan-"+stage+".json")
			}
			var p plan
			readJSON(t, path, &p)
			test(t, stage, p)
		})
	}
}

// made returns the path of a file in .cache/plans. Where it is missing, or was made
// from other sources than those here, the test is skipped. Under CI it fails, unless
// WITHOUT_PLANS says that the machine has no provider to plan with.
func made(t *testing.T, name string) string {
	t.Helper()
	stamp, command := "terraform.sha256", "make evidence-check"
	if strings.HasPrefix(name, "sst-") {
		stamp, command = "sst.sha256", "make sst-check"
	}
	of, err := os.ReadFile(plans + stamp)
	if err == nil && string(of) == sources(t, stamp == "sst.sha256") {
		return plans + name
	}
	if os.Getenv("CI") != "" && os.Getenv("WITHOUT_PLANS") == "" {
		t.Fatalf("no %s of these sources: run %s", name, command)
	}
	t.Skipf("no %s of these sources: run %s", name, command)
	return ""
}

// sources returns the digests of the files from which Terraform plans, or SST
// synthesises, as scripts/lib.sh writes them.
func sources(t *testing.T, sst bool) string {
	t.Helper()
	extensions := []string{".tf", ".tfvars"}
	if sst {
		extensions = []string{".ts", ".mjs", ".json"}
	}
	var paths []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch d.Name() {
		case "node_modules", ".sst", ".terraform":
			return filepath.SkipDir
		case "backend.tf":
			return nil
		}
		path = filepath.ToSlash(path)
		if path == "limits.json" || slices.Contains(extensions, filepath.Ext(path)) && sst == strings.HasPrefix(path, "sst/") {
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	var digests strings.Builder
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&digests, "%x  ./%s\n", sha256.Sum256(text), path)
	}
	return digests.String()
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
