package infrastructure

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The comparison finds every change of one side of prod: a value that is changed, removed or added, in a resource, a
// policy or another document, and a resource that is missing. It finds none of the changes listed here.
func TestSSTComparisonMissesNothing(t *testing.T) {
	tf, sst := readTerraform(t, "prod"), readSST(t, "prod")
	tfForm, sstForm := formOf(t, tf), formOf(t, sst)

	var missed []string
	check := func(change string, a, b interface{ form() (deployed, error) }) {
		changedTF, err := a.form()
		if err != nil {
			return
		}
		changedSST, err := b.form()
		if err == nil && len(unexplained(compare(changedTF, changedSST), make([]int, len(onPurpose)))) == 0 {
			missed = append(missed, change)
		}
	}

	blocks := map[string]map[string]any{}
	collect(at(tf.plan, "configuration", "root_module"), "", blocks)
	resources := tf.applied["resources"].([]any)
	seen := map[string]bool{} // by type: one resource of a type is enough
	for i, element := range resources {
		r := element.(map[string]any)
		address := r["address"].(string)
		tf.applied["resources"] = slices.Delete(slices.Clone(resources), i, i+1)
		check(address+" removed", tf, sstForm)
		tf.applied["resources"] = resources

		block, values := blocks[withoutIndex(address)], r["values"].(map[string]any)
		set := configured(values, block)
		eachChange(set, "", func(change string) {
			if kind := typeOf(address) + change; !seen[kind] {
				seen[kind] = true
				changed := maps.Clone(values)
				maps.DeleteFunc(changed, func(name string, _ any) bool { return block[name] != nil })
				maps.Copy(changed, set)
				r["values"] = changed
				// An attribute that the configuration does not set is not compared.
				if !strings.HasSuffix(change, "/other added") {
					check(address+change, tf, sstForm)
				}
			}
		})
		r["values"] = values
	}
	outputs := tf.applied["outputs"].(map[string]any)
	delete(outputs, "drift_policy") // Terraform's alone
	eachChange(outputs, "output", func(change string) { check("Terraform's "+change, tf, sstForm) })

	for i, r := range sst.Resources {
		changed := sst
		changed.Resources = slices.Delete(slices.Clone(sst.Resources), i, i+1)
		check(r.Name+" removed", tfForm, changed)
		if r.Name == "FunctionCode" || r.Name == "LambdaEncryptionKey" {
			continue // SST's alone
		}
		eachChange(r.Inputs, "", func(change string) {
			if !seen[r.Type+change] {
				seen[r.Type+change] = true
				check(r.Name+change, tfForm, sst)
			}
		})
	}
	eachChange(sst.Outputs, "output", func(change string) { check("SST's "+change, tfForm, sst) })

	slices.Sort(missed)
	want := []string{
		"ApiDeployment/triggers/routes changed", // TestSSTDeploysChangedRoutes
		"FunctionCode removed",
		"FunctionFunction/ephemeralStorage removed", // Lambda's default, as the next three
		"FunctionFunction/ephemeralStorage/size removed",
		"FunctionFunction/loggingConfig removed",
		"FunctionFunction/publish removed",
		"FunctionFunction/s3Bucket changed", // the zip, which Terraform uploads otherwise
		"FunctionFunction/s3Bucket removed",
		"FunctionFunction/s3Key changed",
		"FunctionFunction/s3Key removed",
		"LambdaEncryptionKey removed",
		"SST's output/_protect changed",
		"SST's output/_protect removed",
		"SST's output/deploymentTrigger changed",
		"Terraform's output/deployment_trigger changed",
		"aws_api_gateway_deployment.main/triggers/routes changed",
		"aws_lambda_function.main/filename changed",
		"aws_lambda_function.main/filename removed",
	}
	if diff := cmp.Diff(want, missed); diff != "" {
		t.Errorf("changes that are not found (-want +got):\n%s", diff)
	}
}

func (d deployed) form() (deployed, error) { return d, nil }

// eachChange makes each change in v in turn, calls found with the path and kind of the change, and undoes it. It leaves
// out empty values and the names of a policy's statements.
func eachChange(v any, path string, found func(change string)) {
	switch v := v.(type) {
	case map[string]any:
		v["other"] = "other"
		found(path + "/other added")
		delete(v, "other")
		for name, value := range maps.Clone(v) {
			if t := text(value); name == "Sid" || t == "null" || t == `""` || t == "[]" || t == "{}" {
				continue
			}
			delete(v, name)
			found(path + "/" + name + " removed")
			v[name] = value
			changeOf(value, path+"/"+name, func(to any) { v[name] = to }, found)
		}
	case []any:
		for i, value := range v {
			changeOf(value, path, func(to any) { v[i] = to }, found)
		}
	}
}

// changeOf makes each change of a value that set replaces.
func changeOf(value any, path string, set func(any), found func(change string)) {
	defer func() { set(value) }()
	switch x := value.(type) {
	case map[string]any:
		eachChange(x, path, found)
	case []any:
		set(append(slices.Clone(x), "other"))
		found(path + " extended")
		set(x)
		eachChange(x, path, found)
	case string:
		var document map[string]any
		if json.Unmarshal([]byte(x), &document) == nil {
			eachChange(document, path, func(change string) {
				set(text(document))
				found(change)
			})
			return
		}
		set("other" + x)
		found(path + " changed")
	case bool:
		set(!x)
		found(path + " changed")
	case float64:
		set(x + 1)
		found(path + " changed")
	}
}
