package infrastructure

import (
	"flag"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var synthesised = flag.String("synthesis", plans, "`folder` of the resources that SST registers, ending with a slash")

// cases are the compared configurations: the stages, the other authorizer in an account without a role for access logs,
// and every setting that no stage sets.
var cases = []string{"dev", "stage", "prod", "oidc", "options"}

// A difference is between Terraform and SST: in a resource, an output, or one value in them.
type difference struct {
	At             string // the resource, and the path of the value in it
	Terraform, SST string // as JSON; "" for no value
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

// within returns the differences of two values. Lists of different lengths are one difference.
func within(path string, a, b any) []difference {
	var all []difference
	x, isObject := a.(map[string]any)
	y, alsoObject := b.(map[string]any)
	s, isList := a.([]any)
	t, alsoList := b.([]any)
	switch {
	case isObject && alsoObject:
		for name := range union(x, y) {
			all = append(all, within(path+" "+name, x[name], y[name])...)
		}
	case isList && alsoList && len(s) == len(t):
		for i := range s {
			all = append(all, within(fmt.Sprintf("%s %d", path, i), s[i], t[i])...)
		}
	case text(a) != text(b):
		all = append(all, difference{path, shown(a), shown(b)})
	}
	return all
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

func union[V any](a, b map[string]V) map[string]V {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return both
}

// readTerraform reads Terraform's plan and state of a case.
func readTerraform(t *testing.T, name string) terraform {
	t.Helper()
	var tf terraform
	readJSON(t, made(t, "plan-"+name+".json"), &tf.plan)
	readJSON(t, made(t, "applied-"+name+".json"), &tf.applied)
	return tf
}

// readSST reads the resources that SST registers in a case.
func readSST(t *testing.T, name string) synthesis {
	t.Helper()
	path := *synthesised + "sst-" + name + ".json"
	if *synthesised == plans {
		made(t, "sst-"+name+".json")
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

// SST registers the resources that Terraform plans, except for the differences in onPurpose, each of which still exists.
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
			t.Errorf("the difference %s does not exist any more: %s", p.At, p.Why)
		}
	}
}

// unexplained returns the differences that no purpose explains, and counts the others by purpose.
func unexplained(all []difference, count []int) []difference {
	return slices.DeleteFunc(all, func(d difference) bool {
		i := slices.IndexFunc(onPurpose, func(p purpose) bool { return p.explains(d) })
		if i >= 0 {
			count[i]++
		}
		return i >= 0
	})
}

// A purpose explains a difference. Terraform and SST are the values as JSON, "" for no value, or anything.
type purpose struct {
	At             string // a regular expression for the whole of difference.At
	Terraform, SST string
	Why            string
}

const anything = "any"

// onPurpose has every difference that is allowed.
var onPurpose = []purpose{
	{"aws_lambda_function filename", anything, "", "Terraform uploads the zip with the function"},
	{"aws_lambda_function (s3_bucket|s3_key)", "", anything, "SST puts the zip into its asset bucket, under a name with its hash"},
	{"aws_s3_bucket_objectv2", "", "there", "the zip in SST's asset bucket"},
	{"aws_lambda_function ephemeral_storage", "", `{"size":512}`, "SST sets Lambda's default"},
	{"aws_lambda_function publish", "", "false", "SST sets Lambda's default"},
	{
		"aws_lambda_function logging_config", "", `{"log_format":"Text","log_group":"/aws/lambda/device-tokens-STAGE"}`,
		"SST sets Lambda's defaults: plain text, into the group with the function's name",
	},
	{"random_bytes", "", "there", "SST makes a key for links; there are none, and the function does not get it"},
	{`aws_iam_role\[lambda.amazonaws.com\] inline_policy name`, `"table-and-logs"`, `"inline"`, "SST names the policy in a role"},
	{
		"aws_api_gateway_deployment triggers routes|output deployment_trigger", anything, anything,
		"each tool compares its own digest of the routes with the previous one",
	},
	{
		`aws_iam_role\[apigateway.amazonaws.com\] (name|description)`, anything, "",
		"SST makes the region's role itself where the account has none, and leaves it behind",
	},
	{"output drift_policy", anything, "", "the drift workflow plans with Terraform"},
	{"output _protect", "", anything, "SST's own output, for its command line"},
}

var stageName = regexp.MustCompile(`device-tokens-(dev|stage|prod)`)

func (p purpose) explains(d difference) bool {
	allows := func(want, got string) bool {
		return want == got || want == anything && got != "" || want == stageName.ReplaceAllString(got, "device-tokens-STAGE")
	}
	return allows(p.Terraform, d.Terraform) && allows(p.SST, d.SST) && regexp.MustCompile("^(?:"+p.At+")$").MatchString(d.At)
}
