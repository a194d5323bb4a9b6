#!/usr/bin/env bash
# Tests drift.sh with a fake Terraform: each outcome of a plan, and a Terraform that is killed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd -P)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

cat >"$tmp/terraform" <<'FAKE'
#!/usr/bin/env bash
printf '%s\n' "$*" >>"$FAKE_CALLS"
case " $* " in
  *" plan "*)
    [[ "$*" == *"-detailed-exitcode"* && "$*" == *"-lock=false"* && "$*" == *"-var-file=envs/prod.tfvars"* ]] || exit 1
    echo "a secret that the plan printed"
    exit "$FAKE_CODE"
    ;;
  *" show "*)
    cat <<'PLAN'
{
  "resource_drift": [
    {"address": "aws_sns_topic.alarms[0]", "change": {"actions": ["update"],
      "before": {"name": "a", "display_name": "", "tags": {"Owner": "x"}}, "after": {"name": "a", "display_name": "secret-1", "tags": {"Owner": "x"}}}}
  ],
  "resource_changes": [
    {"address": "aws_kms_key.main", "change": {"actions": ["no-op"], "before": {"a": 1}, "after": {"a": 1}}},
    {"address": "aws_sns_topic.alarms[0]", "change": {"actions": ["update"],
      "before": {"name": "a", "display_name": "secret-1"}, "after": {"name": "a", "display_name": ""}}},
    {"address": "aws_api_gateway_deployment.main", "change": {"actions": ["create", "delete"],
      "before": {"triggers": {"routes": "secret-2"}, "id": "x"}, "after": {"triggers": {"routes": "y"}}, "after_unknown": {"id": true}}}
  ],
  "output_changes": {"api_url": {"actions": ["update"]}, "table_name": {"actions": ["no-op"]}}
}
PLAN
    ;;
esac
FAKE
chmod +x "$tmp/terraform"

failed=0
# expect NAME CODE REPORT: runs drift.sh with a plan that ends with FAKE_CODE.
expect() {
  local name=$1 want=$2 report=$3 got=0
  FAKE_CALLS=$tmp/calls TERRAFORM=$tmp/terraform DRIFT_DIR=$tmp DRIFT_CHECKED=then \
    "$here/drift.sh" prod "$tmp/report" 2>/dev/null || got=$?
  if [[ $got != "$want" ]] || ! diff -u <(printf '%s\n' "$report") "$tmp/report"; then
    echo "FAIL  drift: $name (ended with $got, want $want)"
    failed=1
  else
    echo "ok    drift: $name"
  fi
}

begin() { printf '# Drift of device tokens: prod\n\n- Checked: then\n- Result: **%s**' "$1"; }
failure="$(begin unknown)

The plan failed, so it is not known whether the deployment differs. See the log of the run."

FAKE_CODE=0 expect "none" 0 "$(begin none)"
FAKE_CODE=1 expect "a plan that fails" 1 "$failure"
FAKE_CODE=137 expect "a plan that was killed" 1 "$failure"
FAKE_CODE=2 expect "some" 2 "$(begin drift)

## Changed behind Terraform

| resource | action | attributes |
| --- | --- | --- |
| \`aws_sns_topic.alarms[0]\` | update | display_name |

## What an apply would do

| resource | action | attributes |
| --- | --- | --- |
| \`aws_api_gateway_deployment.main\` | create, delete | id, triggers |
| \`aws_sns_topic.alarms[0]\` | update | display_name |

Outputs that would change: api_url."

if grep -qE ' (apply|destroy|import|state) ' "$tmp/calls"; then
  echo "FAIL  drift: it changes something"
  failed=1
fi
exit $failed
