package repository

import (
	"bytes"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/devicetokens/devicetokens"

// TestLayers checks that each package imports, also through others, only the standard
// library and the packages below it. A program without DynamoDB links nothing of AWS.
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

// TestModules checks that an importer gets only the DynamoDB client of the SDK with its
// dependencies, and two test libraries.
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

// TestDependabotCoversEveryFolder checks that Dependabot reads every folder that has
// dependencies of its own.
func TestDependabotCoversEveryFolder(t *testing.T) {
	want := map[string][]string{"github-actions": {"/"}}
	for ecosystem, name := range map[string]string{
		"gomod":     "go.mod",
		"maven":     "pom.xml",
		"npm":       "package-lock.json",
		"terraform": "versions.tf",
	} {
		for _, file := range files(t, filepath.Ext(name)) {
			if filepath.Base(file) == name {
				want[ecosystem] = append(want[ecosystem], folder(t, file))
			}
		}
		slices.Sort(want[ecosystem])
	}
	for _, file := range files(t, ".txt") {
		if strings.Contains(read(t, file), "--hash=sha256:") {
			want["pip"] = append(want["pip"], folder(t, file))
		}
	}
	want["pip"] = slices.Compact(want["pip"])
	got := map[string][]string{}
	entry := regexp.MustCompile(`- package-ecosystem: (\S+)\n +directories: \["(.*)"\]\n`)
	for _, match := range entry.FindAllStringSubmatch(read(t, filepath.Join(root, ".github/dependabot.yml")), -1) {
		got[match[1]] = strings.Split(match[2], `", "`)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("folders (-repository +dependabot.yml):\n%s", diff)
	}
}

// folder returns the file's folder from the root of the repository, as Dependabot has it.
func folder(t *testing.T, file string) string {
	t.Helper()
	from, err := filepath.Rel(root, filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	return path.Join("/", filepath.ToSlash(from))
}

// TestPythonPackagesHaveHashes checks that pip installs only packages whose hash is in its list.
func TestPythonPackagesHaveHashes(t *testing.T) {
	pip := regexp.MustCompile(`pip3?["']? (install|download)[^\n]*`)
	found := 0
	for _, script := range files(t, ".sh") {
		for _, line := range pip.FindAllString(read(t, script), -1) {
			found++
			if !strings.Contains(line, "--require-hashes") {
				t.Errorf("%s: %s lacks --require-hashes", script, line)
			}
		}
	}
	if found == 0 {
		t.Error("no script installs a package of Python, want one that does")
	}
}
