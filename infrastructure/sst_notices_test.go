package infrastructure

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An edit changes what was read of one side, in memory: the value at the path in the
// resource of that name, or without a path the whole resource. Numbers in the path are
// indexes of lists.
type edit struct {
	name string
	path []any
	to   any // a function is applied to the present value
}

// TestSSTComparisonNotices: a change of each kind on one side alone is found, and the
// difference names the resource.
func TestSSTComparisonNotices(t *testing.T) {
	tf, sst := readTerraform(t, "prod"), readSST(t, "prod")
	tfForm, sstForm := formOf(t, tf), formOf(t, sst)
	for _, test := range changes() {
		t.Run(test.kind, func(t *testing.T) {
			check := func(side string, tf, sst deployed) {
				all := unexplained(compare(tf, sst), make([]int, len(onPurpose)))
				if !slices.ContainsFunc(all, func(d difference) bool { return strings.HasPrefix(d.At, test.at) }) {
					t.Errorf("a change of %s alone goes unnoticed: %v", side, all)
				}
			}
			// Where Terraform says nothing, there is nothing to change.
			if test.tf.name != "" {
				changedTF := terraform{tf.plan, clone(tf.applied)}
				test.tf.inTerraform(t, changedTF)
				check("Terraform", formOf(t, changedTF), sstForm)
			}
			changedSST := clone(sst)
			test.sst.inSST(t, &changedSST)
			check("SST", tfForm, formOf(t, changedSST))
		})
	}
}

func (e edit) inTerraform(t *testing.T, tf terraform) {
	t.Helper()
	if e.name == "output" {
		e.apply(t, tf.applied["outputs"])
		return
	}
	resources := tf.applied["resources"].([]any)
	i := slices.IndexFunc(resources, func(r any) bool { return at(r, "address") == e.name })
	if i < 0 {
		t.Fatalf("Terraform has no %s", e.name)
	}
	if e.path == nil {
		tf.applied["resources"] = slices.Delete(resources, i, i+1)
		return
	}
	e.apply(t, at(resources[i], "values"))
}

func (e edit) inSST(t *testing.T, s *synthesis) {
	t.Helper()
	if e.name == "output" {
		e.apply(t, s.Outputs)
		return
	}
	i := slices.IndexFunc(s.Resources, func(r registered) bool { return r.Name == e.name })
	if i < 0 {
		t.Fatalf("SST has no %s", e.name)
	}
	if e.path == nil {
		s.Resources = slices.Delete(s.Resources, i, i+1)
		return
	}
	e.apply(t, s.Resources[i].Inputs)
}

// apply changes the value at the path, which must be another one then.
func (e edit) apply(t *testing.T, in any) {
	t.Helper()
	for _, step := range e.path[:len(e.path)-1] {
		if i, ok := step.(int); ok {
			in = in.([]any)[i]
		} else {
			in = at(in, step.(string))
		}
	}
	last := e.path[len(e.path)-1]
	changed := func(old any) any {
		to := e.to
		if f, ok := to.(func(any) any); ok {
			to = f(old)
		}
		if text(to) == text(old) {
			t.Fatalf("%s %v is %s already", e.name, e.path, text(old))
		}
		return to
	}
	switch in := in.(type) {
	case map[string]any:
		key := last.(string)
		if value := changed(in[key]); value != nil {
			in[key] = value
		} else {
			delete(in, key)
		}
	case []any:
		in[last.(int)] = changed(in[last.(int)])
	default:
		t.Fatalf("%s has no %v", e.name, e.path)
	}
}

// TestSSTComparisonMissesNoValue: a change of any value that SST registers, also in a
// policy or another document, is found, except for values that cannot differ from
// Terraform's.
func TestSSTComparisonMissesNoValue(t *testing.T) {
	tf, sst := readTerraform(t, "prod"), readSST(t, "prod")
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
