package infrastructure

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Nothing that SST registers is lost on the way to the comparison: whatever value is
// altered, in a policy or another document too, a difference is found, but for what
// cannot differ from Terraform's.
func TestSSTComparisonMissesNoValue(t *testing.T) {
	tf, sst := readSST(t, "prod")
	want := formOf(t, tf)
	seen := map[string]bool{} // one of a kind will do
	var missed []string
	for _, r := range sst.Resources {
		if r.Name == "FunctionCode" || r.Name == "LambdaEncryptionKey" {
			continue // SST's alone, as a whole
		}
		alter(r.Inputs, func(path string) {
			if seen[r.Type+path] {
				return
			}
			seen[r.Type+path] = true
			form, err := sst.form()
			if err == nil && len(unexplained(compare(want, form), make([]int, len(onPurpose)))) == 0 {
				missed = append(missed, r.Name+path)
			}
		})
	}
	slices.Sort(missed)
	expected := []string{
		// A digest of its own: TestSSTDeploysChangedRoutes.
		"ApiDeployment/triggers/routes",
		// Where the zip is, which Terraform uploads otherwise.
		"FunctionFunction/s3Bucket",
		"FunctionFunction/s3Key",
	}
	if diff := cmp.Diff(expected, missed); diff != "" {
		t.Errorf("values that may be anything (-want +got):\n%s", diff)
	}
}

// alter calls found with each value in v altered in turn, and with the path to it. The
// name of a policy's statement says nothing and is left out.
func alter(v any, found func(path string)) {
	each := func(path string, value any, set func(any)) {
		defer set(value)
		switch x := value.(type) {
		case map[string]any, []any:
			alter(x, func(inner string) { found(path + inner) })
		case string:
			var document map[string]any
			if json.Unmarshal([]byte(x), &document) == nil {
				alter(document, func(inner string) {
					set(text(document))
					found(path + inner)
				})
				return
			}
			set("other" + x)
			found(path)
		case bool:
			set(!x)
			found(path)
		case float64:
			set(x + 1)
			found(path)
		}
	}
	switch x := v.(type) {
	case map[string]any:
		for name, value := range x {
			if name != "Sid" {
				each("/"+name, value, func(to any) { x[name] = to })
			}
		}
	case []any:
		for i, value := range x {
			each("", value, func(to any) { x[i] = to })
		}
	}
}
