package infrastructure

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/devicetokens/devicetokens/httpapi"
	"github.com/devicetokens/devicetokens/store"
)

// limits.json, from which Terraform and SST take defaults and bounds, has those of the
// package store.
func TestLimitsAreTheLibrarys(t *testing.T) {
	type limit struct{ Default, Least, Most int }
	days := func(d time.Duration) int { return int(d / (24 * time.Hour)) }
	want := map[string]limit{
		"tokenTtlDays": {days(store.DefaultTTL), days(store.MinTTL), days(store.MaxTTL)},
		"maxDevices":   {store.DefaultMaxDevices, 1, store.MaxMaxDevices},
	}
	var got map[string]limit
	readJSON(t, "limits.json", &got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("limits.json (-store +got):\n%s", diff)
	}
}

// Terraform and SST take the kinds of bearer token that the library verifies.
func TestTokenKindsAreTheLibrarys(t *testing.T) {
	want := quoted(t, "../httpapi/oidcauth/*.go", `Kind = ("[a-z-]+")`)
	for path, list := range map[string]string{
		"variables.tf":           `contains\(\[(.*)\], var\.authorizer\.token\)`,
		"sst/stacks/settings.ts": `\[(.*)\]\.includes\(a\.token\)`,
	} {
		if diff := cmp.Diff(want, quoted(t, path, list)); diff != "" {
			t.Errorf("kinds of token (-oidcauth +%s):\n%s", path, diff)
		}
	}
}

// quoted returns what stands in quotes in the matches of the pattern, sorted.
func quoted(t *testing.T, files, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(files)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			for _, word := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(match[1], -1) {
				all = append(all, word[1])
			}
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s has nothing like %s", files, pattern)
	}
	slices.Sort(all)
	return all
}

// The API has the path that the handler serves.
func TestPathIsTheLibrarys(t *testing.T) {
	eachStage(t, func(t *testing.T, stage string, p plan) {
		parts := map[string]bool{}
		for _, r := range p.resources("aws_api_gateway_resource") {
			var v struct {
				Part string `json:"path_part"`
			}
			r.decode(t, &v)
			parts[v.Part] = true
		}
		want := map[string]bool{}
		for _, part := range strings.Split(strings.Trim(httpapi.Path, "/"), "/") {
			want[part] = true
		}
		if diff := cmp.Diff(want, parts); diff != "" {
			t.Errorf("path (-httpapi +plan):\n%s", diff)
		}
	})
}
