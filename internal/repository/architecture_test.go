package repository

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/devicetokens/devicetokens"

// TestLayers checks that each package imports, also through others, no module
// but the standard library and no package of ours above it. Above all, a program
// that uses no DynamoDB links nothing of AWS.
func TestLayers(t *testing.T) {
	for pkg, below := range map[string][]string{
		"tokens":   {},
		"store":    {"tokens"},
		"memstore": {"tokens", "store"},
		"sqlstore": {"tokens", "store"},
		"httpapi":  {"internal/jsontext", "tokens", "store"},
	} {
		t.Run(pkg, func(t *testing.T) {
			deps := goList(t, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", module+"/"+pkg)
			if !slices.Contains(deps, module+"/"+pkg) {
				t.Fatalf("go list -deps printed %q", deps)
			}
			for _, dep := range deps {
				ours, ok := strings.CutPrefix(dep, module+"/")
				if !ok || ours != pkg && !slices.Contains(below, ours) {
					t.Errorf("%s depends on %s", pkg, dep)
				}
			}
		})
	}
}

// TestModules checks the modules that an importer gets: the DynamoDB client of the SDK
// with its dependencies, and two test libraries.
func TestModules(t *testing.T) {
	allowed := []string{
		module,
		"github.com/aws/aws-sdk-go-v2",
		"github.com/aws/aws-sdk-go-v2/service/dynamodb",
		"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue",
		"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression",
		"github.com/aws/smithy-go",
		"github.com/google/go-cmp",
		"pgregory.net/rapid",

		// Brought by service/dynamodb and by feature/dynamodb.
		"github.com/aws/aws-sdk-go-v2/internal/configsources",
		"github.com/aws/aws-sdk-go-v2/internal/endpoints/v2",
		"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams",
		"github.com/aws/aws-sdk-go-v2/service/internal/accept-encoding",
		"github.com/aws/aws-sdk-go-v2/service/internal/endpoint-discovery",
	}
	modules := goList(t, "-m", "-f", "{{.Path}}", "all")
	if !slices.Contains(modules, module) {
		t.Fatalf("go list -m all printed %q", modules)
	}
	for _, m := range modules {
		if !slices.Contains(allowed, m) {
			t.Errorf("the module graph has %s", m)
		}
	}
}

// goList runs go list in this module and returns its lines.
func goList(t *testing.T, args ...string) []string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	return strings.Fields(string(out))
}
