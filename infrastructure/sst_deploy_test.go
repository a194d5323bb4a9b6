package infrastructure

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
)

// What SST registers and no plan of Terraform has: what it does on removal, in which
// order, and the resources that its components add.

// withoutTags are the types that cannot carry tags.
var withoutTags = map[string]bool{
	"aws_api_gateway_account": true, "aws_api_gateway_authorizer": true, "aws_api_gateway_deployment": true,
	"aws_api_gateway_gateway_response": true, "aws_api_gateway_integration": true, "aws_api_gateway_method": true,
	"aws_api_gateway_method_settings": true, "aws_api_gateway_resource": true, "aws_cloudwatch_dashboard": true,
	"aws_kms_alias": true, "aws_api_gateway_base_path_mapping": true, "aws_wafv2_web_acl_association": true, "aws_lambda_permission": true, "aws_sns_topic_policy": true, "aws_sns_topic_subscription": true,
	"random_bytes": true,
}

func TestSSTTags(t *testing.T) {
	for _, name := range cases {
		s := readSST(t, name)
		want := map[string]any{"Project": "device-tokens", "Env": s.App.Stage, "Owner": "mobile-platform", "CostCenter": "cc-1234"}
		if name == "options" {
			want["Team"] = "push"
		}
		tagged := 0
		for _, r := range s.Resources {
			if withoutTags[terraformTypes[r.Type].name] {
				continue
			}
			tagged++
			if diff := cmp.Diff(any(want), r.Inputs["tags"]); diff != "" {
				t.Errorf("%s: tags of %s (-want +SST):\n%s", name, r.Name, diff)
			}
		}
		// As with Terraform, where the topic may be another's, and the zip.
		if tagged < 18 {
			t.Errorf("%s: %d resources carry tags, want 18 at least", name, tagged)
		}
	}
}

// Outside dev, `sst remove` is refused, and neither the table nor its key is removed
// with the stack.
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
	// The region's role is not this deployment's alone.
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

// Nothing is made before what it needs to work: the deployment of the API comes after
// all that it is a snapshot of, the function after its log group and its permissions,
// access logs after the region's role.
func TestSSTOrder(t *testing.T) {
	for _, name := range cases {
		s := readSST(t, name)
		before := map[string][]string{}
		for _, r := range s.Resources {
			if _, ok := before[r.Name]; ok {
				t.Fatalf("%s: two resources are named %s", name, r.Name)
			}
			before[r.Name] = r.DependsOn
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
			switch terraformTypes[r.Type].name {
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

// A deployment of the API is made anew when the routes are others than before: here the
// authorizer is another in each case.
func TestSSTDeploysChangedRoutes(t *testing.T) {
	seen := map[any]string{}
	for _, name := range cases {
		s := readSST(t, name)
		digest := s.Outputs["deploymentTrigger"]
		if other, ok := seen[digest]; ok || digest == nil {
			t.Errorf("%s and %s have different routes and one digest of them, %v", name, other, digest)
		}
		seen[digest] = name
		i := slices.IndexFunc(s.Resources, func(r registered) bool { return r.Name == "ApiDeployment" })
		if diff := cmp.Diff(any(map[string]any{"routes": digest}), s.Resources[i].Inputs["triggers"]); diff != "" {
			t.Errorf("%s: triggers (-output +SST):\n%s", name, diff)
		}
	}
}

// The lock file has a hash of each package and no address to download it from, so that
// it works with any registry.
func TestSSTLockFile(t *testing.T) {
	var lock struct {
		Packages map[string]map[string]any
	}
	readJSON(t, "sst/package-lock.json", &lock)
	if len(lock.Packages) < 2 {
		t.Fatalf("%d packages", len(lock.Packages))
	}
	for name, p := range lock.Packages {
		if name != "" && (p["integrity"] == nil || p["resolved"] != nil) {
			t.Errorf("%s has an address, or no hash", name)
		}
	}
}

// The function may do on the table what the store was seen to do, and nothing on any
// other.
func TestSSTActionsAreTheLibrarys(t *testing.T) {
	for _, name := range cases {
		s := readSST(t, name)
		i := slices.IndexFunc(s.Resources, func(r registered) bool { return r.Name == "FunctionRole" })
		policies := s.Resources[i].Inputs["inlinePolicies"].([]any)
		var policy struct {
			Statement []struct{ Effect, Action, Resource any }
		}
		if err := json.Unmarshal([]byte(at(policies[0], "policy").(string)), &policy); err != nil || len(policies) != 1 {
			t.Fatal(err, len(policies))
		}
		var got []string
		for _, statement := range policy.Statement {
			for _, action := range statement.Action.([]any) {
				if action, ok := strings.CutPrefix(action.(string), "dynamodb:"); ok {
					got = append(got, action)
					want := []any{s.Outputs["tableArn"]}
					if diff := cmp.Diff(any(want), statement.Resource); diff != "" {
						t.Errorf("%s: resource (-want +SST):\n%s", name, diff)
					}
				}
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(dynamotest.StoreActions, got); diff != "" {
			t.Errorf("%s: actions (-dynamostore +SST):\n%s", name, diff)
		}
	}
}
