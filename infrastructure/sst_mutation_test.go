package infrastructure

import (
	"slices"
	"strings"
	"testing"
)

// An edit changes what was read of one side, in memory: the value at the path in the
// resource of that name, or without a path the whole resource. Numbers in the path are
// indexes of lists.
type edit struct {
	name string
	path []any
	to   any // a function is applied to what is there
}

// Whatever of each kind is changed, on one side alone, the comparison says so, of the
// resource in which it is.
func TestSSTComparisonNotices(t *testing.T) {
	tf, sst := readSST(t, "prod")
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
