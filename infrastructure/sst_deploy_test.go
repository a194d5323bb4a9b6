package infrastructure

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// These tests check what SST registers and Terraform's plans do not show: removal, order, and resources of SST's own.

// The tags of the zip in SST's asset bucket are those of every other resource.
func TestSSTTags(t *testing.T) {
	for _, name := range cases {
		s := readSST(t, name)
		if diff := cmp.Diff(s.named(t, "FunctionRole").Inputs["tags"], s.named(t, "FunctionCode").Inputs["tags"]); diff != "" {
			t.Errorf("%s: tags (-role +zip):\n%s", name, diff)
		}
	}
}

// named returns the resource of that name, which must be the only one.
func (s synthesis) named(t *testing.T, name string) registered {
	t.Helper()
	found := slices.DeleteFunc(slices.Clone(s.Resources), func(r registered) bool { return r.Name != name })
	if len(found) != 1 {
		t.Fatalf("%d resources are named %s, want 1", len(found), name)
	}
	return found[0]
}

// Outside dev, `sst remove` is refused, and the table and its key stay when the stack is removed.
func TestSSTProtection(t *testing.T) {
	type protection struct {
		Protect         bool
		Removal         string
		Protected, Kept []string
	}
	off := protection{Removal: "remove"}
	on := protection{
		Protect: true, Removal: "retain",
		Protected: []string{"Key", "KeyAlias", "TableTable"},
		Kept:      []string{"Key", "KeyAlias", "TableTable"},
	}
	// Other deployments share the region's role.
	region := protection{Removal: "remove", Kept: []string{"APIGatewayPushToCloudWatchLogsRole", "ApiAPIGatewayAccountSetup"}}
	for name, want := range map[string]protection{"dev": off, "stage": on, "prod": on, "oidc": region, "options": off} {
		s := readSST(t, name)
		got := protection{Protect: s.App.Protect, Removal: s.App.Removal}
		for _, r := range s.Resources {
			if r.Protect {
				got.Protected = append(got.Protected, r.Name)
			}
			if r.RetainOnDelete {
				got.Kept = append(got.Kept, r.Name)
			}
		}
		slices.Sort(got.Protected)
		slices.Sort(got.Kept)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: protection (-want +SST):\n%s", name, diff)
		}
	}
}

// Each resource is made after those that it needs: the deployment of the API after everything in its snapshot, the
// function after its log group and permissions, access logs after the region's role.
func TestSSTOrder(t *testing.T) {
	for _, name := range cases {
		s := readSST(t, name)
		before := map[string][]string{}
		for _, r := range s.Resources {
			before[r.Name] = s.named(t, r.Name).DependsOn
		}
		var after func(string, map[string]bool) map[string]bool
		after = func(resource string, seen map[string]bool) map[string]bool {
			for _, other := range before[resource] {
				if !seen[other] {
					seen[other] = true
					after(other, seen)
				}
			}
			return seen
		}
		need := func(resource, other string) {
			if !after(resource, map[string]bool{})[other] {
				t.Errorf("%s: %s may be made before %s", name, resource, other)
			}
		}
		snapshot := 0
		for _, r := range s.Resources {
			switch r.terraformType() {
			case "aws_api_gateway_gateway_response", "aws_api_gateway_integration", "aws_api_gateway_method", "aws_lambda_permission":
				snapshot++
				need("ApiDeployment", r.Name)
			case "aws_api_gateway_account":
				need("ApiStage", r.Name)
			}
			if strings.Contains(text(r.Inputs), "key/Key-id") {
				need(r.Name, "Key")
			}
		}
		if snapshot < 9+13 {
			t.Errorf("%s: %d resources are deployed, want 22 at least", name, snapshot)
		}
		need("ApiStage", "ApiAccessLog")
		need("FunctionFunction", "FunctionLogGroup")
		need("FunctionFunction", "FunctionRole")
		need("FunctionRole", "TableTable")
	}
}

// Changed routes make a new deployment of the API: the authorizer differs in each case.
func TestSSTDeploysChangedRoutes(t *testing.T) {
	seen := map[any]string{}
	for _, name := range cases {
		s := readSST(t, name)
		digest := s.Outputs["deploymentTrigger"]
		if other, ok := seen[digest]; ok || digest == nil {
			t.Errorf("%s and %s have different routes and the same digest, %v", name, other, digest)
		}
		seen[digest] = name
		if diff := cmp.Diff(any(map[string]any{"routes": digest}), s.named(t, "ApiDeployment").Inputs["triggers"]); diff != "" {
			t.Errorf("%s: triggers (-output +SST):\n%s", name, diff)
		}
	}
}

// Each lock file has a hash of each package and no address, so that it works with any registry.
func TestSSTLockFile(t *testing.T) {
	for _, path := range []string{"sst", "../examples/mobile", "../examples/mobile/expo"} {
		var lock struct {
			Packages map[string]map[string]any
		}
		readJSON(t, path+"/package-lock.json", &lock)
		if len(lock.Packages) < 2 {
			t.Fatalf("%s: %d packages", path, len(lock.Packages))
		}
		for name, p := range lock.Packages {
			if name != "" && (p["integrity"] == nil || p["resolved"] != nil) {
				t.Errorf("%s: %s has an address, or no hash", path, name)
			}
		}
	}
}
