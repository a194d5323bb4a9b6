#!/usr/bin/env bash
# Plans a stage against what is deployed, and writes to REPORT what differs, in
# Markdown: addresses and names of attributes, never values.
#
#   drift.sh STAGE REPORT
#
# The configuration is the one in DRIFT_DIR, infrastructure/ by default, and is
# initialised with its state. Nothing is changed, and nothing is locked. Ends with
# 0 if nothing differs, 2 if something does, and 1 if that cannot be told.
set -euo pipefail

[[ $# -eq 2 ]] || { echo "usage: drift.sh STAGE REPORT" >&2; exit 1; }
stage=$1 report=$2
here=$(cd "$(dirname "$0")" && pwd -P)
dir=${DRIFT_DIR:-$here/..}
read -ra terraform <<<"${TERRAFORM:-terraform}"
checked=${DRIFT_CHECKED:-$(date -u +%Y-%m-%dT%H:%M:%SZ)}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

heading() {
  printf '# Drift of device tokens: %s\n\n- Checked: %s\n- Result: **%s**\n' "$stage" "$checked" "$1"
}

# The answer is in the exit code: 0 no changes, 1 an error, 2 changes. Anything
# else (a Terraform that was killed, say) is no answer.
code=0
"${terraform[@]}" -chdir="$dir" plan -detailed-exitcode -input=false -lock=false -no-color \
  -var-file="envs/$stage.tfvars" -out="$tmp/plan" >"$tmp/log" 2>&1 || code=$?

case $code in
  0)
    heading "none" >"$report"
    exit 0
    ;;
  2) ;;
  *)
    cat "$tmp/log" >&2
    {
      heading "unknown"
      printf '\nThe plan failed; the log of the run says why. This says nothing about the deployment.\n'
    } >"$report"
    exit 1
    ;;
esac

"${terraform[@]}" -chdir="$dir" show -json "$tmp/plan" >"$tmp/plan.json"
{
  heading "drift"
  jq -r '
    def changed: . as $c
      | [(($c.before // {}) + ($c.after // {}) + ($c.after_unknown // {} | if type == "object" then . else {} end) | keys[])
          | select($c.before[.]? != $c.after[.]?)] | unique | join(", ");
    def row: "| `\(.address)` | \(.change.actions | join(", ")) | \(.change | changed) |";
    def table($title): if length == 0 then empty else
      "\n## \($title)\n\n| resource | action | attributes |\n| --- | --- | --- |", (.[] | row) end;
    ([.resource_drift // [] | .[]] | sort_by(.address) | table("Changed behind Terraform")),
    ([.resource_changes // [] | .[] | select(.change.actions | . != ["no-op"] and . != ["read"])]
      | sort_by(.address) | table("What an apply would do")),
    ([.output_changes // {} | to_entries[] | select(.value.actions != ["no-op"]) | .key]
      | if length == 0 then empty else "\nOutputs that would change: \(join(", "))." end)
  ' "$tmp/plan.json"
} >"$report"
exit 2
