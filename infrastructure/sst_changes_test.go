package infrastructure

import "strings"

// A change is of one kind of thing, once on either side. It shows in the resource
// whose name begins so.
type change struct {
	kind, at string
	tf, sst  edit
}

// changes has one change of each kind of compared value, in the synthesis of prod.
func changes() []change {
	swap := func(from, to string) func(any) any {
		return func(v any) any { return strings.Replace(v.(string), from, to, 1) }
	}
	gone := func(any) any { return nil }
	path := func(p ...any) []any { return p }

	const table, fn = "module.storage.aws_dynamodb_table.device_tokens", "aws_lambda_function.main"
	const errors5xx = `aws_cloudwatch_metric_alarm.service["api-5xx"]`
	const systemErrors = "module.storage.aws_cloudwatch_metric_alarm.system_errors"
	const policy = "aws_iam_role_policy.function"
	inline := path("inlinePolicies", 0, "policy")

	return []change{
		{
			"table: partition key", "aws_dynamodb_table",
			edit{table, path("hash_key"), "deviceId"},
			edit{"TableTable", path("hashKey"), "deviceId"},
		},
		{
			"table: sort key", "aws_dynamodb_table",
			edit{table, path("range_key"), "userId"},
			edit{"TableTable", path("rangeKey"), "nope"},
		},
		{
			"table: key's type", "aws_dynamodb_table",
			edit{table, path("attribute", 0, "type"), "N"},
			edit{"TableTable", path("attributes", 0, "type"), "N"},
		},
		{
			"table: billing", "aws_dynamodb_table",
			edit{table, path("billing_mode"), "PROVISIONED"},
			edit{"TableTable", path("billingMode"), "PROVISIONED"},
		},
		{
			"table: class", "aws_dynamodb_table",
			edit{table, path("table_class"), "X"},
			edit{"TableTable", path("tableClass"), "STANDARD_INFREQUENT_ACCESS"},
		},
		{
			"table: TTL", "aws_dynamodb_table",
			edit{table, path("ttl", 0, "attribute_name"), "updatedAt"},
			edit{"TableTable", path("ttl", "enabled"), false},
		},
		{
			"table: recovery", "aws_dynamodb_table",
			edit{table, path("point_in_time_recovery", 0, "enabled"), false},
			edit{"TableTable", path("pointInTimeRecovery", "enabled"), false},
		},
		{
			"table: key", "aws_dynamodb_table",
			edit{table, path("server_side_encryption", 0, "kms_key_arn"), "alias/aws/dynamodb"},
			edit{"TableTable", path("serverSideEncryption"), gone},
		},
		{
			"table: protection", "aws_dynamodb_table",
			edit{table, path("deletion_protection_enabled"), false},
			edit{"TableTable", path("deletionProtectionEnabled"), false},
		},
		{
			"table: an index", "aws_dynamodb_table",
			edit{},
			edit{"TableTable", path("globalSecondaryIndexes"), []any{map[string]any{"name": "byToken"}}},
		},

		{
			"IAM: one action more", "aws_iam_role[",
			edit{policy, path("policy"), swap(`"dynamodb:Query"`, `"dynamodb:Query","dynamodb:Scan"`)},
			edit{"FunctionRole", inline, swap(`"dynamodb:Query"`, `"dynamodb:Query","dynamodb:Scan"`)},
		},
		{
			"IAM: one action less", "aws_iam_role[",
			edit{policy, path("policy"), swap(`"dynamodb:Query",`, ``)},
			edit{"FunctionRole", inline, swap(`"dynamodb:PutItem",`, ``)},
		},
		{
			"IAM: wider resource", "aws_iam_role[",
			edit{policy, path("policy"), swap(`table/device-tokens-prod`, `table/*`)},
			edit{"FunctionRole", inline, swap(`table/device-tokens-prod`, `table/device-tokens-prod*`)},
		},
		{
			"IAM: no condition", "aws_iam_role[",
			edit{policy, path("policy"), swap(`"kms:ViaService"`, `"kms:CallerAccount"`)},
			edit{"FunctionRole", inline, swap(`"kms:ViaService"`, `"kms:CallerAccount"`)},
		},
		{
			"IAM: trust", "aws_iam_role[",
			edit{"aws_iam_role.function", path("assume_role_policy"), swap(`"Service":`, `"AWS":"*","Service":`)},
			edit{"FunctionRole", path("assumeRolePolicy", "Statement", 0, "Principal", "AWS"), "arn:aws:iam::000000000000:root"},
		},
		{
			"IAM: a managed policy", "aws_iam_role[",
			edit{},
			edit{"FunctionRole", path("managedPolicyArns"), []any{"arn:aws:iam::aws:policy/AdministratorAccess"}},
		},

		{
			"function: memory", "aws_lambda_function",
			edit{fn, path("memory_size"), 256},
			edit{"FunctionFunction", path("memorySize"), 256},
		},
		{
			"function: time-out", "aws_lambda_function",
			edit{fn, path("timeout"), 30},
			edit{"FunctionFunction", path("timeout"), 20},
		},
		{
			"function: architecture", "aws_lambda_function",
			edit{fn, path("architectures"), []any{"x86_64"}},
			edit{"FunctionFunction", path("architectures"), []any{"x86_64"}},
		},
		{
			"function: runtime", "aws_lambda_function",
			edit{fn, path("runtime"), "provided.al2"},
			edit{"FunctionFunction", path("runtime"), "nodejs24.x"},
		},
		{
			"function: a variable", "aws_lambda_function",
			edit{fn, path("environment", 0, "variables", "DEVICE_TOKEN_TTL"), "90h"},
			edit{"FunctionFunction", path("environment", "variables", "DEVICE_TOKEN_TTL"), "90h"},
		},
		{
			"function: one variable more", "aws_lambda_function",
			edit{fn, path("environment", 0, "variables", "X"), "x"},
			edit{"FunctionFunction", path("environment", "variables", "SST_KEY"), "x"},
		},
		{
			"function: concurrency", "aws_lambda_function",
			edit{fn, path("reserved_concurrent_executions"), 1},
			edit{"FunctionFunction", path("reservedConcurrentExecutions"), gone},
		},
		{
			"function: storage that SST says", "aws_lambda_function",
			edit{},
			edit{"FunctionFunction", path("ephemeralStorage", "size"), 1024},
		},

		{
			"route: authorization", "aws_api_gateway_method[",
			edit{`aws_api_gateway_method.route["GET"]`, path("authorization"), "NONE"},
			edit{"ApiRouteGetMethod", path("authorization"), "NONE"},
		},
		{
			"route: scopes", "aws_api_gateway_method[",
			edit{`aws_api_gateway_method.route["GET"]`, path("authorization_scopes"), []any{"x"}},
			edit{"ApiRouteGetMethod", path("authorizationScopes"), []any{"x"}},
		},
		{
			"route: method", "aws_api_gateway_method[",
			edit{`aws_api_gateway_method.route["GET"]`, path("http_method"), "PUT"},
			edit{"ApiRouteGetMethod", path("httpMethod"), "ANY"},
		},
		{
			"route: path", "aws_api_gateway_resource[",
			edit{"aws_api_gateway_resource.device_tokens", path("path_part"), "tokens"},
			edit{"ApiResourceFhebxu", path("pathPart"), "tokens"},
		},
		{
			"route: integration", "aws_api_gateway_integration[",
			edit{`aws_api_gateway_integration.route["GET"]`, path("integration_http_method"), "GET"},
			edit{"ApiRouteGetIntegration", path("type"), "AWS"},
		},
		{
			"route: is gone", "aws_api_gateway_method[",
			edit{`aws_api_gateway_method.route["DELETE"]`, nil, gone},
			edit{"ApiRouteDeleteMethod", nil, gone},
		},
		{
			"authorizer: pool", "aws_api_gateway_authorizer",
			edit{"aws_api_gateway_authorizer.cognito[0]", path("provider_arns", 0), "arn:other"},
			edit{"ApiAuthorizerDevicetokensprodAuthorizer", path("providerArns", 0), "arn:other"},
		},
		{
			"permission: source", "aws_lambda_permission[",
			edit{`aws_lambda_permission.route["GET"]`, path("source_arn"), swap("/prod/GET/v1/device-tokens", "/*")},
			edit{"InvokeGET", path("sourceArn"), swap("/prod/GET/v1/device-tokens", "/*")},
		},
		{
			"throttle: burst", "aws_api_gateway_method_settings",
			edit{"aws_api_gateway_method_settings.all", path("settings", 0, "throttling_burst_limit"), 1000},
			edit{"Throttle", path("settings", "throttlingBurstLimit"), 1000},
		},
		{
			"throttle: rate", "aws_api_gateway_method_settings",
			edit{"aws_api_gateway_method_settings.all", path("settings", 0, "throttling_rate_limit"), 500},
			edit{"Throttle", path("settings", "throttlingRateLimit"), 0},
		},
		{
			"throttle: of one route", "aws_api_gateway_method_settings",
			edit{"aws_api_gateway_method_settings.all", path("method_path"), "v1~1device-tokens/GET"},
			edit{"Throttle", path("methodPath"), "v1~1device-tokens/GET"},
		},
		{
			"gateway's answer", "aws_api_gateway_gateway_response[",
			edit{`aws_api_gateway_gateway_response.problem["THROTTLED"]`, path("response_parameters", "gatewayresponse.header.Retry-After"), "'2'"},
			edit{"ResponseTHROTTLED", path("responseTemplates", "application/json"), swap("429", "503")},
		},
		{
			"access log: fields", "aws_api_gateway_stage",
			edit{"aws_api_gateway_stage.main", path("access_log_settings", 0, "format"), swap("$context.resourcePath", "$context.path")},
			edit{"ApiStage", path("accessLogSettings", "format"), swap("$context.resourcePath", "$context.path")},
		},
		{
			"log retention: function", "aws_cloudwatch_log_group[",
			edit{"aws_cloudwatch_log_group.function", path("retention_in_days"), 30},
			edit{"FunctionLogGroup", path("retentionInDays"), 30},
		},
		{
			"log retention: access", "aws_cloudwatch_log_group[",
			edit{"aws_cloudwatch_log_group.access", path("retention_in_days"), 30},
			edit{"ApiAccessLog", path("retentionInDays"), 0},
		},
		{
			"log groups: key", "aws_cloudwatch_log_group[",
			edit{"aws_cloudwatch_log_group.access", path("kms_key_id"), gone},
			edit{"ApiAccessLog", path("kmsKeyId"), gone},
		},

		{
			"key: deletion", "aws_kms_key",
			edit{"aws_kms_key.main", path("deletion_window_in_days"), 7},
			edit{"Key", path("deletionWindowInDays"), 7},
		},
		{
			"key: rotation", "aws_kms_key",
			edit{"aws_kms_key.main", path("enable_key_rotation"), false},
			edit{"Key", path("enableKeyRotation"), false},
		},
		{
			"key: policy", "aws_kms_key",
			edit{"aws_kms_key.main", path("policy"), swap("kms:ViaService", "kms:Via")},
			edit{"Key", path("policy"), swap(`"kms:PutKeyPolicy",`, "")},
		},

		{
			"alarm: metric", "aws_cloudwatch_metric_alarm[",
			edit{errors5xx, path("metric_name"), "4XXError"},
			edit{"Alarmapi-5xx", path("metricName"), "5xx"},
		},
		{
			"alarm: dimensions", "aws_cloudwatch_metric_alarm[",
			edit{errors5xx, path("dimensions", "Stage"), gone},
			edit{"Alarmapi-5xx", path("dimensions", "Stage"), gone},
		},
		{
			"alarm: threshold", "aws_cloudwatch_metric_alarm[",
			edit{errors5xx, path("threshold"), 6},
			edit{"Alarmapi-5xx", path("threshold"), 6},
		},
		{
			"alarm: period", "aws_cloudwatch_metric_alarm[",
			edit{errors5xx, path("period"), 60},
			edit{"Alarmapi-5xx", path("period"), 60},
		},
		{
			"alarm: periods", "aws_cloudwatch_metric_alarm[",
			edit{errors5xx, path("evaluation_periods"), 2},
			edit{"Alarmapi-5xx", path("datapointsToAlarm"), 2},
		},
		{
			"alarm: statistic", "aws_cloudwatch_metric_alarm[",
			edit{errors5xx, path("statistic"), "Average"},
			edit{"Alarmapi-latency", path("extendedStatistic"), "p90"},
		},
		{
			"alarm: missing data", "aws_cloudwatch_metric_alarm[",
			edit{errors5xx, path("treat_missing_data"), "breaching"},
			edit{"Alarmapi-5xx", path("treatMissingData"), gone},
		},
		{
			"alarm: who is told", "aws_cloudwatch_metric_alarm[",
			edit{errors5xx, path("ok_actions"), gone},
			edit{"Alarmapi-5xx", path("alarmActions"), gone},
		},
		{
			"alarm: metric math", "aws_cloudwatch_metric_alarm[",
			edit{systemErrors, path("metric_query", 0, "expression"), "SUM(METRICS())"},
			edit{"Alarmsystem-errors", path("metricQueries", 0, "expression"), "SUM(METRICS())"},
		},
		{
			"alarm: dimension in metric math", "aws_cloudwatch_metric_alarm[",
			edit{systemErrors, path("metric_query", 1, "metric", 0, "dimensions", "Operation"), "Scan"},
			edit{"Alarmsystem-errors", path("metricQueries", 1, "metric", "dimensions", "Operation"), "Scan"},
		},
		{
			"alarm: is gone", "aws_cloudwatch_metric_alarm[",
			edit{`module.storage.aws_cloudwatch_metric_alarm.consumption["read"]`, nil, gone},
			edit{"Alarmread-consumption", nil, gone},
		},

		{
			"topic: policy", "aws_sns_topic_policy",
			edit{"aws_sns_topic_policy.alarms[0]", path("policy"), swap("aws:SourceAccount", "aws:SourceArn")},
			edit{"AlarmsPolicy", path("policy"), swap("cloudwatch.amazonaws.com", "events.amazonaws.com")},
		},
		{
			"topic: subscription", "aws_sns_topic_subscription",
			edit{"aws_sns_topic_subscription.email[0]", path("endpoint"), "nobody@example.com"},
			edit{"AlarmsByEmail", path("endpoint"), "nobody@example.com"},
		},
		{
			"dashboard", "aws_cloudwatch_dashboard",
			edit{"aws_cloudwatch_dashboard.main", path("dashboard_body"), swap("StoreLatency", "Latency")},
			edit{"Dashboard", path("dashboardBody"), swap("StoreLatency", "Latency")},
		},
		{
			"tags: value", "aws_sns_topic",
			edit{"aws_sns_topic.alarms[0]", path("tags", "Owner"), "nobody"},
			edit{"Alarms", path("tags", "Owner"), "nobody"},
		},
		{
			"tags: one less", "aws_iam_role[",
			edit{"aws_iam_role.function", path("tags", "Env"), gone},
			edit{"FunctionRole", path("tags", "Env"), gone},
		},
		{
			"tags: none", "aws_api_gateway_stage",
			edit{"aws_api_gateway_stage.main", path("tags"), gone},
			edit{"ApiStage", path("tags"), gone},
		},
		{
			"output: value", "output ",
			edit{"output", path("table_name"), "other"},
			edit{"output", path("tableArn"), "other"},
		},
		{
			"output: is gone", "output ",
			edit{"output", path("api_url"), gone},
			edit{"output", path("apiUrl"), gone},
		},
	}
}
