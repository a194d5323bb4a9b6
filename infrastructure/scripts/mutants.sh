#!/usr/bin/env bash
# Breaks the Terraform on purpose, one thing at a time, and fails unless a test
# finds each break, rather than Terraform itself, and unless each run of the tests
# found some break. Nine minutes of one core.
#
#   mutants.sh [TEST...]    only those for these test files
set -euo pipefail
source "$(dirname "$0")/lib.sh"

root=$(copy)
module=$root/modules/storage
init "$root"
init "$module"

only=${*:+" $* "}
survivors=0 killed=0
: >"$tmp/seen" # a line "TEST RUN" for each run that failed as it should
# mutant TEST FILE FROM TO: with FROM replaced by TO in FILE, the test file has to fail.
mutant() {
  local test=$1 file=$root/$2 from=$3 to=$4 dir=$root kept changed
  [[ -z $only || $only == *" $test "* ]] || return 0
  [[ $2 == modules/* ]] && dir=$module
  kept=$(cat "$file"; echo x)
  changed=${kept/"$from"/"$to"}
  if [[ $changed == "$kept" ]]; then
    echo "FAIL  $2 has no: $from"
    survivors=$((survivors + 1))
    return
  fi
  printf '%s' "${changed%x}" >"$file"
  if "${terraform[@]}" -chdir="$dir" test -no-color -filter="tests/$test.tftest.hcl" >"$tmp/log" 2>&1; then
    echo "FAIL  survived: $2: $from -> $to"
    survivors=$((survivors + 1))
  elif ! grep -qE 'Missing expected failure|^ +on tests/' "$tmp/log"; then
    echo "FAIL  found by no test: $2: $from -> $to"
    grep -m 3 -A 6 '^Error' "$tmp/log"
    survivors=$((survivors + 1))
  else
    echo "ok    killed by $test: $2: ${from%%$'\n'*} -> ${to%%$'\n'*}"
    killed=$((killed + 1))
    sed -nE "s/^  run \"(.*)\"\.\.\. fail\$/$test \1/p" "$tmp/log" >>"$tmp/seen"
  fi
  printf '%s' "${kept%x}" >"$file"
}

# runs TEST FILE: the runs of the file that look at anything, "TEST RUN" a line.
runs() {
  awk -v test="$1" '
    /^run "/ { split($0, word, "\""); name = word[2] }
    /^ +(assert \{|expect_failures)/ && name != "" { print test, name; name = "" }' "$2"
}

# refusals TEST DIR: with every validation in DIR open, each run that expects a
# refusal fails. Terraform skips the runs after one that misses what it expects, so
# each is put into a file of its own.
refusals() {
  local test=$1 dir=$2 open name file
  [[ -z $only || $only == *" $test "* ]] || return 0
  open=$(copy)${dir#"$root"}
  sed -i -E 's/^( +condition +)= /\1= true || /' "$open/variables.tf"
  awk -v out="$open/tests/open-" '
    /^run "/ { split($0, word, "\""); file = out word[2] ".tftest.hcl"; block = "" }
    file == "" { prelude = prelude $0 "\n"; next }
    { block = block $0 "\n" }
    /^}/ { if (block ~ /expect_failures/) printf "%s\n%s", prelude, block >file; close(file) }' "$open/tests/$test.tftest.hcl"
  init "$open"
  "${terraform[@]}" -chdir="$open" test -no-color $(cd "$open" && printf -- '-filter=%s ' tests/open-*) >"$tmp/log" 2>&1 || true
  for file in "$open"/tests/open-*; do
    name=${file##*/open-}
    name=${name%.tftest.hcl}
    if grep -qxF "tests/${file##*/}... fail" "$tmp/log"; then
      echo "$test $name" >>"$tmp/seen"
    else
      echo "FAIL  passes with every validation open: $test: $name"
      survivors=$((survivors + 1))
    fi
  done
}

table=modules/storage/device-tokens.tf
mutant storage $table $'hash_key  = "userId"\n  range_key = "deviceId"' $'hash_key  = "deviceId"\n  range_key = "userId"'
mutant storage $table '"PAY_PER_REQUEST"' '"PROVISIONED"'
mutant storage $table 'var.stage != "dev"' 'var.stage == "prod"'
mutant storage $table 'var.stage != "dev"' 'var.stage == "stage"'
mutant storage $table 'var.stage != "dev"' 'true'
mutant storage $table 'attribute_name = "expiresAt"' 'attribute_name = "updatedAt"'
mutant storage $table $'point_in_time_recovery {\n    enabled = true' $'point_in_time_recovery {\n    enabled = false'
mutant storage $table 'kms_key_arn = var.kms_key_arn' 'kms_key_arn = null'
mutant storage $table 'stream_enabled   = var.stream_view_type != null' 'stream_enabled   = true'
mutant storage $table 'stream_view_type = var.stream_view_type' 'stream_view_type = null'
mutant storage $table 'tags = var.tags' 'tags = {}'
mutant storage modules/storage/alarms.tf '"WriteThrottleEvents"' '"ThrottledRequests"'
mutant storage modules/storage/alarms.tf ', "TransactWriteItems"' ''
mutant storage modules/storage/alarms.tf '          Operation = metric_query.value' ''
mutant storage modules/storage/alarms.tf 'SUM(FILL(METRICS(), 0))' 'SUM(METRICS())'
mutant storage modules/storage/alarms.tf 'each.value.units * 60' 'each.value.units'
mutant storage modules/storage/alarms.tf 'limit if limit.units != null' 'merge(limit, { units = coalesce(limit.units, 1) })'
mutant storage modules/storage/alarms.tf 'ok_actions    = var.alarm_topic_arns' 'ok_actions    = []'
mutant storage modules/storage/variables.tf '["Project", "Env", "Owner", "CostCenter"]' '["Project", "Env", "Owner"]'
mutant storage modules/storage/variables.tf ':key/' ':[a-z]+/'
mutant storage modules/storage/outputs.tf 'value       = aws_dynamodb_table.device_tokens.arn' 'value       = aws_dynamodb_table.device_tokens.name'

mutant access function.tf '    "dynamodb:Query",' $'    "dynamodb:Query",\n    "dynamodb:Scan",'
mutant access function.tf '    "dynamodb:PutItem",' ''
mutant access function.tf 'Resource = module.storage.table_arn' 'Resource = "${module.storage.table_arn}*"'
mutant access function.tf '["kms:Decrypt", "kms:DescribeKey"]' '["kms:*"]'
mutant access function.tf ':log-stream:*' ':*'
mutant access kms.tf '"kms:DescribeKey",' $'"kms:DescribeKey",\n    "kms:Decrypt",'
mutant access kms.tf '    "kms:PutKeyPolicy",' ''
mutant access kms.tf '"kms:ViaService"    = "dynamodb.${var.region}.amazonaws.com"' ''
mutant access kms.tf 'enable_key_rotation     = true' 'enable_key_rotation     = false'
mutant access kms.tf '"${local.logs_arn_prefix}:${local.access_log_group}",' ''
mutant access kms.tf 'local.own_topic ? [{' 'true ? [{'
mutant access api.tf '/${var.stage}/${each.key}${local.api_path}' '/*'
mutant access drift.tf '"dynamodb:DescribeTable"' '"dynamodb:DescribeTable", "dynamodb:GetItem"'
mutant access drift.tf '"sns:GetTopicAttributes"' '"sns:GetTopicAttributes", "sns:Publish"'
mutant access drift.tf '[module.storage.table_arn]' '["*"]'
mutant access notifications.tf 'Principal = { Service = "cloudwatch.amazonaws.com" }' 'Principal = "*"'
mutant access api-account.tf 'count = var.manage_api_gateway_account ? 1 : 0' 'count = 1'
mutant access api-account.tf 'service-role/AmazonAPIGatewayPushToCloudWatchLogs' 'CloudWatchFullAccess'
mutant access api.tf $'kms_key_id        = aws_kms_key.main.arn' ''

mutant alarms alarms.tf 'metric     = "5XXError"' 'metric     = "5xx"'
mutant alarms alarms.tf ', Stage = var.stage }' ' }'
mutant alarms alarms.tf 'statistic  = "p99"' 'statistic  = "Sum"'
mutant alarms alarms.tf 'period     = 3600' 'period     = 300'
mutant alarms alarms.tf 'threshold  = var.moved_limit' 'threshold  = 0'
mutant alarms alarms.tf '* 1000 * 0.8' '* 1000'
mutant alarms alarms.tf 'metric     = "TransactionConflict"' 'metric     = "ConditionalCheckFailedRequests"'
mutant alarms alarms.tf 'ok_actions    = [local.alarm_topic_arn]' 'ok_actions    = []'
mutant alarms dashboard.tf '"StoreLatency"' '"Latency"'
mutant alarms dashboard.tf ', ["Operation", operation]' ''
mutant alarms notifications.tf 'endpoint  = var.alarm_email' 'endpoint  = "nobody@example.com"'
mutant alarms notifications.tf 'own_topic       = var.alarm_topic_arn == ""' 'own_topic       = true'
mutant alarms notifications.tf 'kms_master_key_id = aws_kms_key.main.arn' ''

mutant api api.tf '["DELETE", "GET", "POST"]' '["DELETE", "GET", "POST", "PUT"]'
mutant api api.tf 'local.cognito ? "COGNITO_USER_POOLS" : "NONE"' '"NONE"'
mutant api api.tf 'throttle_rate_per_second = 50' 'throttle_rate_per_second = 500'
mutant api api.tf 'method_path = "*/*"' 'method_path = "v1~1device-tokens/GET"'
mutant api api.tf 'deployment_id         = aws_api_gateway_deployment.main.id' 'deployment_id         = "none"'
mutant api api.tf 'data_trace_enabled     = false' 'data_trace_enabled     = true'
mutant api api.tf 'authorization_scopes = m.authorization_scopes' ''
mutant api api.tf 'provider_arns   = a.provider_arns' ''
mutant api api.tf 'paths            = [' 'now              = plantimestamp()
      paths            = ['
mutant api api.tf '"$context.resourcePath"' '"$context.path"'
mutant api responses.tf 'status = 404' 'status = 403'
mutant api responses.tf "'application/problem+json'" "'application/json'"
mutant api function.tf 'DEVICE_TOKEN_OIDC_AUDIENCE = var.authorizer.audience' ''
mutant api function.tf '= var.authorizer.keys_url' '= var.authorizer.discovery_url'

mutant domain domain.tf '"TLS_1_2"' '"TLS_1_0"'
mutant domain domain.tf 'count = var.web_acl_arn != "" ? 1 : 0' 'count = 1'
mutant domain domain.tf 'resource_arn = aws_api_gateway_stage.main.arn' 'resource_arn = aws_api_gateway_rest_api.main.arn'
mutant domain domain.tf 'stage_name  = aws_api_gateway_stage.main.stage_name' ''
mutant domain api.tf 'disable_execute_api_endpoint = !local.default_endpoint' 'disable_execute_api_endpoint = false'
mutant domain api.tf 'var.custom_domain.keep_default_endpoint' 'false'
mutant domain api.tf 'default_endpoint = local.default_endpoint' ''
mutant domain outputs.tf '${var.custom_domain.name}${var.base_path}' '${var.custom_domain.name}'
mutant domain domain.tf 'trimprefix(var.base_path, "/")' 'null'

mutant stages main.tf 'dev = 14' 'dev = 7'
mutant stages main.tf 'prod = 90' 'prod = 30'
mutant stages function.tf '["arm64"]' '["x86_64"]'
mutant stages function.tf 'memory_size   = 128' 'memory_size   = 256'
mutant stages function.tf 'function_timeout_seconds = 10' 'function_timeout_seconds = 30'
mutant stages function.tf 'limits.tokenTtlDays.default) * 24' 'limits.tokenTtlDays.default)'
mutant stages api.tf $'format          = jsonencode(local.access_log_fields)\n  }\n\n  tags = local.tags' $'format          = jsonencode(local.access_log_fields)\n  }'
mutant stages main.tf 'CostCenter = var.cost_center' 'CostCenter = var.owner'
mutant stages main.tf 'merge(var.extra_tags, {' 'merge({}, {'
mutant stages main.tf 'var.table_name != "" ? var.table_name : local.name' 'local.name'
mutant stages function.tf 'filename = var.package_path' 'filename = "function.zip"'
mutant stages function.tf 'fileexists(var.package_path)' 'fileexists("${path.root}/${var.package_path}")'
mutant stages function.tf 'filebase64sha256(var.package_path)' 'filesha256(var.package_path)'

mutant validation variables.tf 'contains(["cognito", "oidc"], var.authorizer.type)' 'contains(["cognito", "oidc", "none"], var.authorizer.type)'
mutant validation variables.tf '^https://[^ ?#]+$' '^https?://[^ ?#]+$'
mutant validation variables.tf 'var.stage != "prod" || var.alarm_email' 'true || var.alarm_email'
mutant validation variables.tf ':acm:${var.region}:' ':acm:[a-z0-9-]+:'
mutant validation variables.tf ':wafv2:${var.region}:' ':wafv2:[a-z0-9-]+:'
mutant validation variables.tf ':regional/webacl/' ':[a-z]+/webacl/'
mutant validation variables.tf 'var.token_ttl_days >= local.limits.tokenTtlDays.least' 'var.token_ttl_days >= 1'
mutant validation variables.tf 'var.token_ttl_days <= local.limits.tokenTtlDays.most' 'var.token_ttl_days <= 36500'

refusals storage "$module"
refusals validation "$root"

for file in "$root"/tests/*.tftest.hcl "$module"/tests/*.tftest.hcl; do
  test=${file##*/}
  test=${test%.tftest.hcl}
  [[ -z $only || $only == *" $test "* ]] || continue
  while read -r run; do
    echo "FAIL  found nothing: $run"
    survivors=$((survivors + 1))
  done < <(runs "$test" "$file" | grep -vxFf "$tmp/seen" || true)
done

echo "$killed killed, $(sort -u "$tmp/seen" | wc -l) runs seen to fail, $survivors survived"
((survivors == 0))
