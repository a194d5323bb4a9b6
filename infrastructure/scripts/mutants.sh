#!/usr/bin/env bash
# Breaks the Terraform and the SST, one thing at a time, and fails unless the named check finds each break: a test file of
# Terraform (an assertion, not an error of Terraform's), SST's types, or the parity with Terraform, which needs the plans
# of `make evidence-check`. Takes ten minutes of one core.
#
#   mutants.sh [CHECK...]    only the breaks for these checks: access, ..., storage, types, parity
set -euo pipefail
source "$(dirname "$0")/lib.sh"
only=${*:+" $* "}
wanted() { [[ -z $only || $only == *" $1 "* ]]; }

root=$(copy)
module=$root/modules/storage
if wanted types || wanted parity; then
  "$infra/scripts/sst.sh" install
  tar -C "$infra" --exclude=node_modules --exclude=.sst -cf - sst | tar -C "$root" -xf -
  ln -s "$infra/sst/node_modules" "$infra/sst/.sst" "$root/sst/"
  mkdir "${root%/*}/.cache"
  cp -r "$repo/.cache/plans" "${root%/*}/.cache/"
  go -C "$repo" test -c -o "$tmp/parity" ./infrastructure
fi

# A check ends with 0 if it finds no fault, with 1 if it finds one, and with 2 if it cannot run.
types() {
  local code=0
  "$infra/sst/node_modules/.bin/tsc" --project "$root/sst" --pretty false >"$tmp/log" 2>&1 || code=$?
  ((code <= 2)) || return 2
  ! grep -qE '^(.*/)?(stacks/|sst\.config).*: error TS' "$tmp/log"
}
parity() {
  node "$root/sst/synth/synthesize.mjs" prod >"$tmp/log" 2>&1 || return 2
  (cd "$infra" && "$tmp/parity" -test.run '^TestSST' -test.skip MissesNothing -synthesis "${root%/*}/.cache/plans/") >"$tmp/log" 2>&1 || return 1
}
assertions() {
  local dir=$root
  [[ $1 != storage ]] || dir=$module
  [[ -d $dir/.terraform ]] || init "$dir"
  "${terraform[@]}" -chdir="$dir" test -no-color -filter="tests/$1.tftest.hcl" >"$tmp/log" 2>&1 && return 0
  grep -qE 'Missing expected failure|^ +on tests/' "$tmp/log" || return 2
  sed -n "s/^  run \"\(.*\)\"\.\.\. fail$/$1 \1/p" "$tmp/log" >>"$tmp/noticing"
  return 1
}

# Without a break they find none.
! wanted types || types
! wanted parity || parity

found=0 missed=0
: >"$tmp/noticing"
# file CHECK PATH: the next breaks are in this file, and for this check.
file() { check=$1 path=$2; }
# mutant FROM TO: the check finds the break if FROM is replaced by TO in the file.
mutant() {
  local file=$root/$path from=$1 to=$2 kept changed code=0
  wanted "$check" || return 0
  kept=$(cat "$file"; echo x)
  changed=${kept/"$from"/"$to"}
  if [[ $changed == "$kept" ]]; then
    echo "FAIL  $path has no: $from"
    missed=$((missed + 1))
    return
  fi
  printf '%s' "${changed%x}" >"$file"
  case $check in
    types | parity) "$check" || code=$? ;;
    *) assertions "$check" || code=$? ;;
  esac
  printf '%s' "${kept%x}" >"$file"
  if ((code == 1)); then
    echo "ok    found by $check: $path: ${from%%$'\n'*} -> ${to%%$'\n'*}"
    found=$((found + 1))
  else
    echo "FAIL  $check ended with $code: $path: $from -> $to"
    ((code < 2)) || tail -20 "$tmp/log"
    missed=$((missed + 1))
  fi
}

# open TEST DIR: with every validation in DIR open, each run that expects a rejection fails. Terraform skips the runs
# after a failed one, so each gets a file of its own.
open() {
  local test=$1 dir=$2 open file
  wanted "$test" || return 0
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
    if ! grep -qxF "tests/${file##*/}... fail" "$tmp/log"; then
      echo "FAIL  passes with every validation open: $test: ${file##*/open-}"
      missed=$((missed + 1))
    fi
  done
}

file storage modules/storage/device-tokens.tf
mutant $'hash_key  = "userId"\n  range_key = "deviceId"' $'hash_key  = "deviceId"\n  range_key = "userId"'
mutant '"PAY_PER_REQUEST"' '"PROVISIONED"'
mutant 'var.stage != "dev"' 'var.stage == "prod"'
mutant 'var.stage != "dev"' 'var.stage == "stage"'
mutant 'var.stage != "dev"' 'true'
mutant 'attribute_name = "expiresAt"' 'attribute_name = "updatedAt"'
mutant $'point_in_time_recovery {\n    enabled = true' $'point_in_time_recovery {\n    enabled = false'
mutant 'kms_key_arn = var.kms_key_arn' 'kms_key_arn = null'
mutant 'stream_enabled   = var.stream_view_type != null' 'stream_enabled   = true'
mutant 'stream_view_type = var.stream_view_type' 'stream_view_type = null'
mutant 'tags = var.tags' 'tags = {}'
file storage modules/storage/alarms.tf
mutant '"${metric}ThrottleEvents"' '"ThrottledRequests"'
mutant '          Operation = metric_query.value' ''
mutant ', "TransactWriteItems"' ''
mutant 'SUM(FILL(METRICS(), 0))' 'SUM(METRICS())'
mutant 'limit * 60' 'limit'
mutant 'limit if limit != null' 'coalesce(limit, 1)'
mutant 'ok_actions    = var.alarm_topic_arns' 'ok_actions    = []'
file storage modules/storage/variables.tf
mutant '["Project", "Env", "Owner", "CostCenter"]' '["Project", "Env", "Owner"]'
mutant ':key/' ':[a-z]+/'
file storage modules/storage/outputs.tf
mutant 'value       = aws_dynamodb_table.device_tokens.arn' 'value       = aws_dynamodb_table.device_tokens.name'

file access function.tf
mutant '    "dynamodb:Query",' $'    "dynamodb:Query",\n    "dynamodb:Scan",'
mutant '    "dynamodb:PutItem",' ''
mutant 'Resource = module.storage.table_arn' 'Resource = "${module.storage.table_arn}*"'
mutant '["kms:Decrypt", "kms:DescribeKey"]' '["kms:*"]'
mutant ':log-stream:*' ':*'
file access key-actions.json
mutant '"kms:DescribeKey",' '"kms:DescribeKey", "kms:Decrypt",'
mutant '"kms:PutKeyPolicy",' ''
file access kms.tf
mutant '"kms:ViaService"    = "dynamodb.${var.region}.amazonaws.com"' ''
mutant '"${local.logs_arn_prefix}:${local.access_log_group}",' ''
mutant 'local.own_topic ? [{' 'true ? [{'
file access drift.tf
mutant '"dynamodb:DescribeTable"' '"dynamodb:DescribeTable", "dynamodb:GetItem"'
mutant '"sns:GetTopicAttributes"' '"sns:GetTopicAttributes", "sns:Publish"'
mutant '[module.storage.table_arn]' '["*"]'
file access alarms.tf
mutant 'Principal = { Service = "cloudwatch.amazonaws.com" }' 'Principal = "*"'
mutant 'kms_master_key_id = aws_kms_key.main.arn' ''
file access api.tf
mutant '["DELETE", "GET", "POST"]' '["DELETE", "GET", "POST", "PUT"]'
mutant '/${var.stage}/${each.key}${local.api_path}' '/*'
mutant 'kms_key_id        = aws_kms_key.main.arn' ''
mutant 'count = var.manage_api_gateway_account ? 1 : 0' 'count = 1'
mutant 'service-role/AmazonAPIGatewayPushToCloudWatchLogs' 'CloudWatchFullAccess'

file alarms monitoring.json
mutant '"5XXError", "statistic"' '"5xx", "statistic"'
mutant '"statistic": "p99"' '"statistic": "Sum"'
mutant '"period": 3600' '"period": 300'
mutant '"threshold": 8000' '"threshold": 10000'
mutant '"metric": "TransactionConflict"' '"metric": "ConditionalCheckFailedRequests"'
mutant '["StoreLatency"]' '["Latency"]'
file alarms alarms.tf
mutant 'ok_actions    = [local.alarm_topic_arn]' 'ok_actions    = []'
mutant 'endpoint  = var.alarm_email' 'endpoint  = "nobody@example.com"'
mutant 'own_topic       = var.alarm_topic_arn == ""' 'own_topic       = true'
mutant ', Stage = var.stage }' ' }'
mutant 'threshold = var.moved_limit' 'threshold = 0'
mutant '{ Operation = operation, ' '{ '

file api api.tf
mutant 'local.cognito ? "COGNITO_USER_POOLS" : "NONE"' '"NONE"'
mutant 'local.cognito ? "COGNITO_USER_POOLS" : "NONE"' '"COGNITO_USER_POOLS"'
mutant 'throttle_rate_per_second = 50' 'throttle_rate_per_second = 500'
mutant 'method_path = "*/*"' 'method_path = "v1~1device-tokens/GET"'
mutant 'deployment_id         = aws_api_gateway_deployment.main.id' 'deployment_id         = "none"'
mutant 'data_trace_enabled     = false' 'data_trace_enabled     = true'
mutant 'authorization_scopes = m.authorization_scopes' ''
mutant 'provider_arns   = a.provider_arns' ''
mutant 'paths            = [' $'now              = plantimestamp()\n      paths            = ['
mutant 'disable_execute_api_endpoint = !local.default_endpoint' 'disable_execute_api_endpoint = false'
mutant 'var.custom_domain.keep_default_endpoint' 'false'
mutant 'default_endpoint = local.default_endpoint' ''
file api monitoring.json
mutant '"$context.resourcePath"' '"$context.path"'
file api responses.json
mutant '"status": 429' '"status": 403'
file api responses.tf
mutant '"application/problem+json"' '"application/json"'
file api function.tf
mutant 'DEVICE_TOKEN_OIDC_AUDIENCE = var.authorizer.audience' ''
mutant '= var.authorizer.keys_url' '= var.authorizer.discovery_url'
file api api.tf
mutant '"TLS_1_2"' '"TLS_1_0"'
mutant 'count = var.web_acl_arn != "" ? 1 : 0' 'count = 1'
mutant 'resource_arn = aws_api_gateway_stage.main.arn' 'resource_arn = aws_api_gateway_rest_api.main.arn'
mutant $'stage_name  = aws_api_gateway_stage.main.stage_name\n  base_path' '  base_path'
mutant 'trimprefix(var.base_path, "/")' 'null'
file api outputs.tf
mutant '${var.custom_domain.name}${var.base_path}' '${var.custom_domain.name}'

file stages main.tf
mutant 'dev = 14' 'dev = 7'
mutant 'stage = 30' 'stage = 14'
mutant 'prod = 90' 'prod = 30'
mutant 'CostCenter = var.cost_center' 'CostCenter = var.owner'
mutant 'merge(var.extra_tags, {' 'merge({}, {'
mutant 'var.table_name != "" ? var.table_name : local.name' 'local.name'
file stages kms.tf
mutant 'enable_key_rotation     = true' 'enable_key_rotation     = false'
file stages function.tf
mutant '["arm64"]' '["x86_64"]'
mutant 'memory_size   = 128' 'memory_size   = 256'
mutant 'timeout       = 10' 'timeout       = 30'
mutant 'limits.tokenTtlDays.default) * 24' 'limits.tokenTtlDays.default)'
mutant 'filename = var.package_path' 'filename = "function.zip"'
mutant 'fileexists(var.package_path)' 'fileexists("${path.root}/${var.package_path}")'
mutant 'filebase64sha256(var.package_path)' 'filesha256(var.package_path)'
file stages api.tf
mutant $'format          = jsonencode(local.monitoring.accessLog)\n  }\n\n  tags = local.tags' $'format          = jsonencode(local.monitoring.accessLog)\n  }'

file validation variables.tf
mutant 'contains(["cognito", "oidc"], var.authorizer.type)' 'contains(["cognito", "oidc", "none"], var.authorizer.type)'
mutant '^https://[^ ?#]+$' '^https?://[^ ?#]+$'
mutant 'var.stage != "prod" || var.alarm_email' 'true || var.alarm_email'
mutant ':acm:${var.region}:' ':acm:[a-z0-9-]+:'
mutant ':wafv2:${var.region}:' ':wafv2:[a-z0-9-]+:'
mutant ':regional/webacl/' ':[a-z]+/webacl/'
mutant 'var.token_ttl_days >= local.limits.tokenTtlDays.least' 'var.token_ttl_days >= 1'
mutant 'var.token_ttl_days <= local.limits.tokenTtlDays.most' 'var.token_ttl_days <= 36500'

open storage "$module"
open validation "$root"

file types sst/stacks/system.ts
mutant 'hashKey: "userId"' 'hashkey: "userId"'
mutant 'enabled: true, kmsKeyArn' 'enabled: true, kmsKey'
mutant 'userId: "string"' 'userId: "S"'
file types sst/stacks/function.ts
mutant '"128 MB"' '128'
mutant '"10 seconds"' '"10 s"'
mutant '"arm64"' '"arm"'
mutant 'managedPolicyArns' 'managedPolicies'
file types sst/stacks/names.ts
mutant '"2 weeks"' '"14 days"'
mutant ', prod: "3 months"' ''
file types sst/stacks/api.ts
mutant 'throttlingBurstLimit' 'throttleBurstLimit'
mutant '"aws-proxy"' '"AWS_PROXY"'
file types sst/stacks/settings.ts
mutant '{ type: "cognito", userPoolArns: [pool("eu-central-1_devEXAMPLE")] }' '{ type: "none" }'
mutant '[pool("eu-central-1_devEXAMPLE")]' '[]'
file types sst/sst.config.ts
mutant '"retain"' '"keep"'

# TestSSTComparisonMissesNothing shows that the parity finds every changed value. These breaks are of another kind.
file parity sst/stacks/system.ts
mutant '{ protect: isProtected(settings.stage) }' '{}'
file parity sst/stacks/function.ts
mutant 'permissions: [' 'link: [table], permissions: ['
mutant 'args.managedPolicyArns = []' ''
mutant 'args.assumeRolePolicy =' 'void'
mutant 'args.environment =' 'void'
file parity sst/stacks/key.ts
mutant 'retainOnDelete: isProtected(settings.stage)' 'retainOnDelete: false'
file parity sst/stacks/api.ts
mutant 'cors: false,' ''
mutant 'args.accessLogSettings =' 'void'
mutant 'opts.dependsOn = deployed;' ''
file parity sst/stacks/names.ts
mutant '!type.startsWith("aws:")' '!type.startsWith("aws:s")'
file parity sst/sst.config.ts
mutant '? "retain" : "remove"' '? "remove" : "remove"'

# A run that no break fails shows nothing. Those that expect a rejection are in open.
for test in access alarms api stages storage; do
  wanted "$test" || continue
  file=$root/tests/$test.tftest.hcl
  [[ $test != storage ]] || file=$module/tests/$test.tftest.hcl
  awk -v test="$test" '/^run "/ { split($0, word, "\"") } /^  assert/ { print test, word[2] }' "$file"
done | sort -u | comm -23 - <(sort -u "$tmp/noticing") >"$tmp/idle"
while read -r run; do
  echo "FAIL  no break fails the run $run"
  missed=$((missed + 1))
done <"$tmp/idle"

echo "$found found, $missed missed"
((missed == 0))
