package infrastructure

import "regexp"

// A purpose is why the two differ in something. Terraform and SST are the values as
// JSON, "" for none, or any for every value.
type purpose struct {
	At             string // a regular expression for the whole of difference.At
	Terraform, SST string
	Why            string
}

const anything = "any"

// onPurpose is all that may differ.
var onPurpose = []purpose{
	{"aws_lambda_function (filename)", anything, "", "Terraform uploads the zip with the function"},
	{"aws_lambda_function (s3_bucket|s3_key)", "", anything, "SST puts the zip into its asset bucket, under a name with its hash"},
	{"aws_s3_object", "", "there", "the zip in SST's asset bucket"},
	{"aws_lambda_function ephemeral_storage", "", `{"size":512}`, "SST says what is Lambda's default"},
	{"aws_lambda_function publish", "", "false", "SST says what is Lambda's default"},
	{
		"aws_lambda_function logging_config", "", `{"log_format":"Text","log_group":"/aws/lambda/device-tokens-STAGE"}`,
		"SST says what are Lambda's defaults: plain text, into the group with the function's name",
	},
	{"random_bytes", "", "there", "SST makes a key for links, of which there are none; the function does not get it"},
	{
		`aws_cloudwatch_metric_alarm\[device-tokens-(dev|dev-restored|stage|prod)-(read|write)-throttling\] datapoints_to_alarm`, "", "1",
		"as many as the periods, which is CloudWatch's default",
	},
	{`aws_iam_role\[lambda.amazonaws.com\] inline_policy name`, `"table-and-logs"`, `"inline"`, "SST names the policy in a role"},
	{
		"aws_api_gateway_deployment triggers routes|output deployment_trigger", anything, anything,
		"each has a digest of its own of what is deployed: it is compared with the one before, never with the other",
	},
	{
		`aws_iam_role\[apigateway.amazonaws.com\] (name|description)`, anything, "",
		"SST makes the region's role itself, where the account has none, and leaves it behind: it is not this deployment's",
	},
	{"output drift_policy", anything, "", "the drift workflow plans with Terraform"},
	{"output _protect", "", anything, "SST's own, for its command line"},
}

var stageName = regexp.MustCompile(`device-tokens-(dev|stage|prod)`)

func (p purpose) explains(d difference) bool {
	matches := func(want, got string) bool {
		return want == got || want == anything && got != "" || want == stageName.ReplaceAllString(got, "device-tokens-STAGE")
	}
	return matches(p.Terraform, d.Terraform) && matches(p.SST, d.SST) && regexp.MustCompile("^(?:"+p.At+")$").MatchString(d.At)
}
