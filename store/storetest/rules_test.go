package storetest

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRules: the rules that the comment of package store lists are those that
// the checks are about.
func TestRules(t *testing.T) {
	comment, err := os.ReadFile("../doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, m := range regexp.MustCompile(`(?m)^//   - ([a-z-]+): `).FindAllSubmatch(comment, -1) {
		documented = append(documented, string(m[1]))
	}
	slices.Sort(documented)
	checked := map[string]bool{}
	for _, c := range checks(faultyBackend(Backend{})) {
		checked[c.rule] = true
	}
	if diff := cmp.Diff(documented, slices.Sorted(maps.Keys(checked))); diff != "" {
		t.Errorf("rules without a check (-), checks without a rule (+):\n%s", diff)
	}
}
