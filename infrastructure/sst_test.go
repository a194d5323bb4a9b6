package infrastructure

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

var synthesised = flag.String("synthesis", "", "`folder` with what SST registers, ending with a slash; empty for .cache/plans")

// cases are the compared configurations: the stages, the other authorizer in an
// account without a role for access logs, and all settings that no stage uses.
var cases = []string{"dev", "stage", "prod", "oidc", "options"}

// A difference is between what the two make of one resource, or output, or of one
// value in it.
type difference struct {
	At             string // the resource, and the path of the value in it
	Terraform, SST string // as JSON; "" where there is none
}

func (d difference) String() string {
	return fmt.Sprintf("%s: Terraform %s, SST %s", d.At, d.Terraform, d.SST)
}

// compare returns all differences, sorted.
func compare(tf, sst deployed) []difference {
	var all []difference
	for name := range union(tf.Resources, sst.Resources) {
		a, inTF := tf.Resources[name]
		b, inSST := sst.Resources[name]
		if inTF && inSST {
			all = append(all, within(name, a, b)...)
		} else {
			all = append(all, difference{name, present(inTF), present(inSST)})
		}
	}
	all = append(all, within("output", tf.Outputs, sst.Outputs)...)
	slices.SortFunc(all, func(a, b difference) int { return strings.Compare(a.At, b.At) })
	return all
}

// within returns the differences of two values. Lists are compared as wholes where
// their lengths differ, so that one element more is one difference.
func within(path string, a, b any) []difference {
	x, isObject := a.(map[string]any)
	y, alsoObject := b.(map[string]any)
	if isObject && alsoObject {
		var all []difference
		for name := range union(x, y) {
			all = append(all, within(path+" "+name, x[name], y[name])...)
		}
		return all
	}
	s, isList := a.([]any)
	t, alsoList := b.([]any)
	if isList && alsoList && len(s) == len(t) {
		var all []difference
		for i := range s {
			all = append(all, within(fmt.Sprintf("%s %d", path, i), s[i], t[i])...)
		}
		return all
	}
	if text(a) == text(b) {
		return nil
	}
	return []difference{{path, shown(a), shown(b)}}
}

func shown(value any) string {
	if value == nil {
		return ""
	}
	return text(value)
}

func present(is bool) string {
	if is {
		return "there"
	}
	return ""
}

func union[V any](a, b map[string]V) map[string]bool {
	keys := map[string]bool{}
	for _, m := range []map[string]V{a, b} {
		for key := range maps.Keys(m) {
			keys[key] = true
		}
	}
	return keys
}

// readTerraform reads what Terraform makes in a case.
func readTerraform(t *testing.T, name string) terraform {
	t.Helper()
	var tf terraform
	readJSON(t, made(t, "plan-"+name+".json"), &tf.plan)
	readJSON(t, made(t, "applied-"+name+".json"), &tf.applied)
	return tf
}

// readSST reads what SST makes in a case.
func readSST(t *testing.T, name string) synthesis {
	t.Helper()
	file := "sst-" + name + ".json"
	path := *synthesised + file
	if *synthesised == "" {
		path = made(t, file)
	}
	var s synthesis
	readJSON(t, path, &s)
	return s
}

func formOf(t *testing.T, system interface{ form() (deployed, error) }) deployed {
	t.Helper()
	d, err := system.form()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// unexplained returns the differences that are on purpose for no reason, and counts
// for each reason those that are.
func unexplained(all []difference, count []int) []difference {
	return slices.DeleteFunc(all, func(d difference) bool {
		for i, p := range onPurpose {
			if p.explains(d) {
				count[i]++
				return true
			}
		}
		return false
	})
}

// SST registers the resources that Terraform plans, except for documented differences,
// and each documented difference still exists.
func TestSSTIsTheTerraform(t *testing.T) {
	count := make([]int, len(onPurpose))
	for _, name := range cases {
		tf, s := readTerraform(t, name), readSST(t, name)
		for _, d := range unexplained(compare(formOf(t, tf), formOf(t, s)), count) {
			t.Errorf("%s: %s", name, d)
		}
	}
	for i, p := range onPurpose {
		if count[i] == 0 {
			t.Errorf("the difference %s is no more: %s", p.At, p.Why)
		}
	}
}

// The values that are compared are those of the plans.
func TestAppliedIsThePlan(t *testing.T) {
	for _, name := range cases {
		tf := readTerraform(t, name)
		applied := map[string]any{}
		for _, r := range at(tf.applied, "resources").([]any) {
			applied[at(r, "address").(string)] = at(r, "values")
		}
		var planned int
		var walk func(module any)
		walk = func(module any) {
			resources, _ := at(module, "resources").([]any)
			for _, r := range resources {
				if at(r, "mode") != "managed" {
					continue
				}
				planned++
				address := at(r, "address").(string)
				if !holds(at(r, "values"), applied[address]) {
					t.Errorf("%s: %s is planned otherwise than applied", name, address)
				}
			}
			children, _ := at(module, "child_modules").([]any)
			for _, child := range children {
				walk(child)
			}
		}
		walk(at(tf.plan, "planned_values", "root_module"))
		if planned != len(applied) {
			t.Errorf("%s: %d resources are planned and %d applied", name, planned, len(applied))
		}
	}
}

// holds reports whether all that is known of the planned value is so in the other.
func holds(planned, applied any) bool {
	switch p := planned.(type) {
	case nil:
		return true
	case map[string]any:
		a, ok := applied.(map[string]any)
		for name, member := range p {
			ok = ok && holds(member, a[name])
		}
		return ok
	case []any:
		a, ok := applied.([]any)
		ok = ok && len(a) == len(p)
		for i := 0; ok && i < len(p); i++ {
			ok = holds(p[i], a[i])
		}
		return ok
	default:
		return text(planned) == text(applied)
	}
}
