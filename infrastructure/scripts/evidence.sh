#!/usr/bin/env bash
# Plans and applies every stage into .cache/plans, makes the evidence in
# docs/evidence/infra from that, or with --check fails if the evidence is stale,
# and runs the tests that compare the plans with the library.
#
# TERRAFORM must come with a provider that answers from its schema alone: the copy
# that is planned and applied here has no credentials and no address of AWS, so the
# real provider fails before it reaches anything. Timestamps, versions, paths and
# the package's hash are left out. sst-synth-output.txt is written by
# `make sst-synth`.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need jq python3 go

kept=$repo/docs/evidence/infra
out=$tmp/evidence plans=$tmp/plans
mkdir "$out" "$plans"

# planned prints a folder that is initialised and can reach nothing.
planned() {
  local dir
  dir=$(copy)
  cat >"$dir/evidence_override.tf" <<'OVERRIDE'
provider "aws" {
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true

  endpoints {
    apigateway = "http://127.0.0.1:1"
    cloudwatch = "http://127.0.0.1:1"
    dynamodb   = "http://127.0.0.1:1"
    iam        = "http://127.0.0.1:1"
    kms        = "http://127.0.0.1:1"
    lambda     = "http://127.0.0.1:1"
    logs       = "http://127.0.0.1:1"
    sns        = "http://127.0.0.1:1"
    sts        = "http://127.0.0.1:1"
    wafv2      = "http://127.0.0.1:1"
  }
}
OVERRIDE
  init "$dir"
  echo "$dir"
}

# plan NAME VALUES: the plan of VALUES.tfvars as JSON, less what changes from run
# to run. The override above is no part of the configuration.
plan() {
  quietly "${terraform[@]}" -chdir="$dir" plan -input=false -no-color -var-file="$2.tfvars" -out="$tmp/plan"
  "${terraform[@]}" -chdir="$dir" show -json "$tmp/plan" |
    jq -S '.relevant_attributes |= sort | .terraform_version = "left out" | del(.timestamp, .configuration.provider_config, .prior_state.terraform_version)' >"$plans/plan-$1.json"
}

# applied NAME VALUES: the state after an apply, which has what a plan does not know
# yet, with made-up identifiers.
applied() {
  local state=$tmp/$1.tfstate
  quietly "${terraform[@]}" -chdir="$dir" apply -auto-approve -input=false -no-color -var-file="$2.tfvars" -state="$state"
  "${terraform[@]}" -chdir="$dir" show -json "$state" |
    jq -S '
      def all: .resources[]?, (.child_modules[]? | all);
      .values | {
        outputs: .outputs | map_values(.value),
        resources: [.root_module | all | select(.mode == "managed") | {address, values: .values | with_entries(select(.value != null))}] | sort_by(.address)
      }' >"$plans/applied-$1.json"
}

# summary PLAN: what a plan does, one resource a line.
summary() {
  jq -r '
    [.resource_changes[] | select(.mode == "managed")] as $all
    | ([$all[].change.actions[]] | group_by(.) | map("\(length) to \(.[0])") | join(", ")),
      ($all | sort_by(.address)[] | "  \(.change.actions | join(", ")) \(.address)")' "$1"
}

# checkov FRAMEWORK ARG...: a report of what is skipped and failed, and how much passed.
checkov() {
  local framework=$1 report=$tmp/checkov.json
  shift
  (cd "$scanned/.." && "$bin/checkov" --framework "$framework" --skip-download --output json "$@" 2>"$tmp/checkov.log") \
    >"$report" || true
  jq -e '.summary.parsing_errors == 0 and .summary.passed > 0' "$report" >/dev/null || { cat "$tmp/checkov.log" "$report" >&2; return 1; }
  jq -r '
    def line: "  \(.check_id) \(.resource)";
    "passed \(.summary.passed), failed \(.summary.failed), skipped \(.summary.skipped)",
    (.results.failed_checks // [] | sort_by(.check_id, .resource)[] | "failed:" + line),
    (.results.skipped_checks // [] | sort_by(.check_id, .resource)[] | line + ": " + .check_result.suppress_comment)' "$report"
  jq -e '.summary.failed == 0' "$report" >/dev/null || failed+=("checkov $framework")
}

failed=()
bin=$("$infra/scripts/tools.sh")
sources terraform >"$plans/terraform.sha256" # before the copies: a later change makes them stale
dir=$(planned)
scanned=$(copy)

# The cases that sst/synth/cases.mjs has too.
for case in dev:envs/dev stage:envs/stage prod:envs/prod oidc:envs/emulator options:tests/options; do
  plan "${case%%:*}" "${case#*:}"
  applied "${case%%:*}" "${case#*:}"
done

# The tests read them here.
mkdir -p "$repo/.cache/plans"
rm -f "$repo"/.cache/plans/{plan-*,applied-*,terraform.sha256}
cp "$plans"/* "$repo/.cache/plans/"

# What the tests compare, a resource a line, so that a difference is one of a resource. The summary has the rest.
jq -r '
  def lines($in): tojson as $line
    | if ($line | length) <= 160 or (type | IN("object", "array") | not) or (type == "object" and has("address") and (has("resources") | not)) then $line
      elif type == "array" then "[\n" + (map($in + " " + lines($in + " ")) | join(",\n")) + "\n" + $in + "]"
      else "{\n" + (to_entries | map($in + " " + (.key | tojson) + ": " + (.value | lines($in + " "))) | join(",\n")) + "\n" + $in + "}" end;
  {
    planned_values,
    configuration: {root_module: {resources: [.configuration.root_module.resources[] | select(.depends_on) | {address, depends_on}]}}
  } | del(.. | .sensitive_values?) | lines("")' "$plans/plan-dev.json" >"$out/device-token-plan.json"

{
  echo "What a first apply of each stage does."
  for stage in dev stage prod; do
    printf '\n%s: ' "$stage"
    summary "$plans/plan-$stage.json"
  done
} >"$out/terraform-plan-summary.txt"

{
  code=0
  (cd "$scanned/.." && "$bin/tfsec" infrastructure --no-colour --format json) >"$tmp/tfsec.json" 2>"$tmp/tfsec.log" || code=$?
  echo "tfsec $(sed 's/.*tfsec \([^ ]*\).*/\1/' "$bin/../versions"), the configuration"
  jq -r '
    (.results // []) as $all
    | "failed \($all | length)", ($all | sort_by(.long_id, .resource)[] | "  \(.severity) \(.long_id) \(.resource)")' "$tmp/tfsec.json"
  echo "ignored in place:"
  (cd "$scanned" && grep -rhoE 'tfsec:ignore:[a-z0-9-]+' --include='*.tf' . | sort | sed 's/^/  /')
  ((code == 0)) || failed+=("tfsec")
} >"$out/tfsec-report.txt"

{
  echo "checkov $("$bin/checkov" --version)"
  printf '\nThe configuration: '
  checkov terraform --directory infrastructure
  for plan in "prod:$plans/plan-prod.json" "emulator, with OIDC:$plans/plan-oidc.json"; do
    printf '\nThe plan (%s): ' "${plan%%:*}"
    checkov terraform_plan --file "${plan#*:}" --repo-root-for-plan-enrichment infrastructure
  done
} >"$out/checkov-report.txt"

# A second plan right after an apply finds nothing to do.
quietly "${terraform[@]}" -chdir="$dir" apply -auto-approve -input=false -no-color -var-file=envs/prod.tfvars
DRIFT_DIR=$dir DRIFT_CHECKED="right after an apply" "$infra/scripts/drift.sh" prod "$out/drift-report.md" ||
  failed+=("drift right after an apply")

if ((${#failed[@]})); then
  cat "$out"/*.txt "$out"/*.md >&2
  printf 'FAIL  %s\n' "${failed[@]}" >&2
  exit 1
fi

if [[ "${1:-}" == --check ]]; then
  diff -ru --exclude=sst-synth-output.txt "$kept" "$out" >"$tmp/diff" || {
    sed -n 1,60p "$tmp/diff"
    echo "FAIL  evidence: stale; run make evidence"
    exit 1
  }
  echo "ok    evidence"
else
  find "$kept" -type f ! -name sst-synth-output.txt -delete
  cp "$out"/* "$kept/"
fi
CI=true go -C "$repo" test -count=1 -skip '^TestSST' ./infrastructure
