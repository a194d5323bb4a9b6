#!/usr/bin/env bash
# Compares the configuration of a stage with its deployment, and writes the differences to REPORT in Markdown: addresses
# and names of attributes, never values.
#
#   drift.sh STAGE REPORT
#
# DRIFT_DIR has the configuration, initialised with its state (default: infrastructure/). Nothing is changed or locked.
# The exit code is 0 without differences, 2 with differences, and 1 if the plan fails.
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

# Terraform ends with 0 for no changes, 2 for changes, and another code for an error or a signal.
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
      printf '\nThe plan failed, so it is not known whether the deployment differs. See the log of the run.\n'
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
