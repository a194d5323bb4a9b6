package infrastructure

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The function is given the variables that examples/lambda reads, all but one and no
// others. This module cannot import that package, so the test reads its sources.
func TestEnvironmentIsTheFunctions(t *testing.T) {
	text, err := os.ReadFile("function.tf")
	if err != nil {
		t.Fatal(err)
	}
	given := regexp.MustCompile(`\bDEVICE_TOKEN_[A-Z_]+`).FindAllString(string(text), -1)
	slices.Sort(given)
	given = slices.Compact(given)

	var read []string
	for _, s := range literals(t) {
		// Both deployments require https of every address.
		if strings.HasPrefix(s, "DEVICE_TOKEN_") && s != "DEVICE_TOKEN_OIDC_ALLOW_HTTP" {
			read = append(read, s)
		}
	}
	if diff := cmp.Diff(read, given); diff != "" {
		t.Errorf("variables (-examples/lambda +function.tf):\n%s", diff)
	}
}

// The dashboard shows metrics that examples/lambda writes.
func TestMetricsAreTheFunctions(t *testing.T) {
	written := literals(t)
	eachStage(t, func(t *testing.T, _ string, p plan) {
		var v struct {
			Body string `json:"dashboard_body"`
		}
		p.only(t, "aws_cloudwatch_dashboard").decode(t, &v)
		var body struct {
			Widgets []struct {
				Properties struct{ Metrics [][]string }
			}
		}
		if err := json.Unmarshal([]byte(v.Body), &body); err != nil {
			t.Fatal(err)
		}
		shown := 0
		for _, w := range body.Widgets {
			for _, m := range w.Properties.Metrics {
				if strings.HasPrefix(m[0], "AWS/") {
					continue
				}
				shown++
				for _, name := range m[:3] { // namespace, metric, dimension
					if !slices.Contains(written, name) {
						t.Errorf("the dashboard shows %q, which examples/lambda does not write", m[:3])
					}
				}
			}
		}
		if shown != 8 {
			t.Errorf("the dashboard shows %d metrics of the function, want 8", shown)
		}
	})
}

// literals returns the strings in the sources of the function, sorted.
func literals(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../examples/lambda/internal/function/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for node := range ast.Preorder(file) {
			if lit, ok := node.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					all = append(all, s)
				}
			}
		}
	}
	if len(all) == 0 {
		t.Fatal("examples/lambda has no sources")
	}
	slices.Sort(all)
	return slices.Compact(all)
}
