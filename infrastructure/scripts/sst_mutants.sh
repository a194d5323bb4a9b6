#!/usr/bin/env bash
# Breaks infrastructure/sst on purpose, one thing at a time, and fails unless what is
# there to find it does: the types, or the comparison of what is then registered for
# prod with what Terraform plans. Some minutes.
#
#   sst_mutants.sh [types|parity]    only the breaks that this is to find
set -euo pipefail
source "$(dirname "$0")/lib.sh"
"$infra/scripts/sst.sh" install

# A copy to break, with what is installed, and a test that reads what it registers.
dir=$tmp/infrastructure/sst
mkdir -p "$dir" "$tmp/.cache"
cp "$infra/limits.json" "$tmp/infrastructure/"
tar -C "$infra/sst" --exclude=./node_modules --exclude=./.sst -cf - . | tar -C "$dir" -xf -
ln -s "$infra/sst/node_modules" "$infra/sst/.sst" "$dir"
cp -r "$repo/.cache/plans" "$tmp/.cache/" # of make evidence-check and make sst-check
go -C "$repo" test -c -o "$tmp/parity" ./infrastructure

# types and parity end with 0 where they find no fault, with 1 where they find one, and
# with 2 where they cannot tell.
types() {
  local code=0
  "$infra/sst/node_modules/.bin/tsc" --project "$dir" --pretty false >"$tmp/log" 2>&1 || code=$?
  ((code <= 2)) || return 2
  ! grep -qE '^(.*/)?(stacks/|sst\.config).*: error TS' "$tmp/log"
}
parity() {
  node "$dir/synth/synthesize.mjs" prod >"$tmp/log" 2>&1 || return 2
  (cd "$infra" && "$tmp/parity" -test.run '^TestSST' -synthesis "$tmp/.cache/plans/") >"$tmp/log" 2>&1 || return 1
}

survivors=0 killed=0
# mutant CHECK FILE FROM TO: with FROM replaced by TO in FILE, the check has to find a fault.
mutant() {
  local check=$1 file=$dir/$2 from=$3 to=$4 kept changed code=0
  [[ -z ${only:-} || $only == "$check" ]] || return 0
  kept=$(cat "$file"; echo x)
  changed=${kept/"$from"/"$to"}
  if [[ $changed == "$kept" ]]; then
    echo "FAIL  $2 has no: $from"
    survivors=$((survivors + 1))
    return
  fi
  printf '%s' "${changed%x}" >"$file"
  "$check" || code=$?
  if ((code == 1)); then
    echo "ok    found by $check: $2: ${from%%$'\n'*} -> ${to%%$'\n'*}"
    killed=$((killed + 1))
  else
    echo "FAIL  $check ended with $code: $2: $from -> $to"
    ((code < 2)) || cat "$tmp/log"
    survivors=$((survivors + 1))
  fi
  printf '%s' "${kept%x}" >"$file"
}

only=${1:-}
# Without a break, neither finds one.
types
parity

mutant types stacks/storage.ts 'hashKey: "userId"' 'hashkey: "userId"'
mutant types stacks/storage.ts 'kmsKeyArn: key.arn' 'kmsKey: key.arn'
mutant types stacks/storage.ts 'userId: "string"' 'userId: "S"'
mutant types stacks/function.ts '"128 MB"' '128'
mutant types stacks/function.ts '"10 seconds"' '"10 s"'
mutant types stacks/function.ts '"arm64"' '"arm"'
mutant types stacks/function.ts 'managedPolicyArns' 'managedPolicies'
mutant types stacks/names.ts '"2 weeks"' '"14 days"'
mutant types stacks/names.ts ', prod: "3 months"' ''
mutant types stacks/api.ts 'throttlingBurstLimit' 'throttleBurstLimit'
mutant types stacks/api.ts '"aws-proxy"' '"AWS_PROXY"'
mutant types stacks/alarms.ts 'treatMissingData' 'treatMissing'
mutant types stacks/responses.ts '    responseTemplates:' '    templates:'
mutant types stacks/settings.ts '{ type: "cognito", userPoolArns: [pool("eu-central-1_devEXAMPLE")] }' '{ type: "none" }'
mutant types stacks/settings.ts '[pool("eu-central-1_devEXAMPLE")]' '[]'
mutant types sst.config.ts '"retain"' '"keep"'

mutant parity stacks/storage.ts 'ttl: "expiresAt"' 'ttl: "updatedAt"'
mutant parity stacks/storage.ts 'rangeKey: "deviceId"' 'rangeKey: "nope"'
mutant parity stacks/storage.ts 'pointInTimeRecovery: { enabled: true }' 'pointInTimeRecovery: { enabled: false }'
mutant parity stacks/storage.ts '{ protect: isProtected(settings.stage) }' '{}'
mutant parity stacks/function.ts '"Query", ' '"Query", "Scan", '
mutant parity stacks/function.ts 'permissions: [' 'link: [table], permissions: ['
mutant parity stacks/function.ts 'args.managedPolicyArns = []' ''
mutant parity stacks/function.ts 'args.assumeRolePolicy =' 'void'
mutant parity stacks/function.ts 'args.environment =' 'void'
mutant parity stacks/function.ts '"128 MB"' '"256 MB"'
mutant parity stacks/function.ts 'kmsKeyId: key.arn' ''
mutant parity stacks/names.ts 'prod: "3 months"' 'prod: "1 month"'
mutant parity stacks/key.ts '  "kms:PutKeyPolicy",' ''
mutant parity stacks/key.ts '"kms:CallerAccount": account.id,' ''
mutant parity stacks/key.ts 'enableKeyRotation: true' 'enableKeyRotation: false'
mutant parity stacks/key.ts 'retainOnDelete: isProtected(settings.stage)' 'retainOnDelete: false'
mutant parity stacks/api.ts 'burst: 100' 'burst: 1000'
mutant parity stacks/api.ts 'cors: false,' ''
mutant parity stacks/api.ts '/${settings.stage}/${method}${path}' '/*'
mutant parity stacks/api.ts 'return { cognito: {' 'return false && { cognito: {'
mutant parity stacks/api.ts 'args.accessLogSettings =' 'void'
mutant parity stacks/api.ts 'opts.dependsOn = deployed;' ''
mutant parity stacks/responses.ts 'status: 429' 'status: 503'
mutant parity stacks/alarms.ts 'threshold: 2000' 'threshold: 3000'
mutant parity stacks/alarms.ts ', Stage: settings.stage' ''
mutant parity stacks/alarms.ts '"notBreaching"' '"missing"'
mutant parity stacks/alarms.ts 'SUM(FILL(METRICS(), 0))' 'SUM(METRICS())'
mutant parity stacks/dashboard.ts '"StoreLatency"' '"Latency"'
mutant parity stacks/notifications.ts 'kmsMasterKeyId: key.arn' ''
mutant parity stacks/tags.ts 'CostCenter: settings.costCenter' 'CostCenter: settings.owner'
mutant parity stacks/tags.ts '!type.startsWith("aws:")' '!type.startsWith("aws:s")'
mutant parity stacks/system.ts 'tableArn: table.arn' 'tableArn: table.name'
mutant parity stacks/settings.ts 'readLimit: 100' 'readLimit: 1000'
mutant parity sst.config.ts '? "retain" : "remove"' '? "remove" : "remove"'

echo "$killed found, $survivors survived"
((survivors == 0))
