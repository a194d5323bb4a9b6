#!/usr/bin/env bash
# Plans and applies every stage into .cache/plans, makes the evidence in docs/evidence/infra from the plans, and runs the
# tests that compare the plans with the library. With --check it fails if the evidence is stale. sst-synth-output.txt
# comes from `make sst-synth`.
#
# TERRAFORM needs a provider that answers from its schema. The planned copy has no credentials and no address of AWS, so
# the real provider fails before it reaches anything.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need jq python3 go

kept=$repo/docs/evidence/infra
out=$tmp/evidence plans=$tmp/plans
mkdir "$out" "$plans"

# planned prints an initialised copy of the configuration that can reach nothing.
planned() {
  local dir
  dir=$(copy)
  {
    echo 'provider "aws" {'
    printf '  %s = "none"\n' access_key secret_key
    printf '  %s = true\n' skip_credentials_validation skip_metadata_api_check
    echo '  endpoints {'
    printf '    %s = "http://127.0.0.1:1"\n' apigateway cloudwatch dynamodb iam kms lambda logs sns sts wafv2
    printf '  }\n}\n'
  } >"$dir/evidence_override.tf"
  init "$dir"
  echo "$dir"
}

# plan NAME VALUES: writes the plan of VALUES.tfvars, without what changes from run to run and without the override.
plan() {
  quietly "${terraform[@]}" -chdir="$dir" plan -input=false -no-color -var-file="$2.tfvars" -out="$tmp/plan"
  "${terraform[@]}" -chdir="$dir" show -json "$tmp/plan" |
    jq -S '.relevant_attributes |= sort | .terraform_version = "left out" | del(.timestamp, .configuration.provider_config, .prior_state.terraform_version)' >"$plans/plan-$1.json"
}

# applied NAME VALUES: writes the state after an apply, where the values that a plan lacks are made up.
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

# values STAGE: writes the values that the plan sets, one resource a line, the values that all resources of a for_each have
# in a line "[*]", and JSON documents as JSON. Tags stay where they are null: the tests require them.
values() {
  jq -r -S '
    def set: . != null and . != [] and . != {} and . != [null];
    def kept:
      if type == "object" then map_values(kept) | with_entries(select(.key == "tags" or (.value | set)))
      elif type == "array" then map(kept)
      elif type == "string" and startswith("{") then fromjson | kept
      else . end;
    def all: .resources[]?, (.child_modules[]? | all);
    def shared:
      . as $all | reduce (.[0] | keys[]) as $key ({}; if $all | all(has($key)) | not then . else
        [$all[][$key]] as $values
        | if $values | unique | length == 1 then .[$key] = $values[0]
          elif $values | all(type == "object") then .[$key] = ($values | shared)
          else . end
      end);
    def without($common):
      reduce ($common | keys[]) as $key (.; if .[$key] == $common[$key] then del(.[$key]) else .[$key] |= without($common[$key]) end);
    def grouped:
      group_by(.address | sub("\\[.*"; ""))[]
      | if length == 1 then .[0] else (map(.values) | shared) as $common
          | {address: (.[0].address | sub("\\[.*"; "[*]")), values: $common}, (.[] | .values |= without($common))
        end;
    def lines: "{\n" + (to_entries | map("  \(.key | tojson): \(.value | tojson)") | join(",\n")) + "\n }";
    "{\n \"outputs\": " + (.planned_values.outputs | map_values(.value) | kept | lines)
      + ",\n \"depends_on\": " + ([.configuration.root_module.resources[] | select(.depends_on) | {(.address): .depends_on}] | add | lines)
      + ",\n \"resources\": " + ([.planned_values.root_module | all | select(.mode == "managed") | .values |= (del(.tags_all) | kept)]
        | [grouped | {(.address): .values}] | add | lines)
      + "\n}"' "$plans/plan-$1.json" >"$plans/values-$1.json"
}

# summary STAGE: what the plan does: the number of changes, and the resources of each block.
summary() {
  jq -r '
    [.resource_changes[] | select(.mode == "managed") | {address, action: (.change.actions | join(", "))}] as $all
    | ($all | group_by(.action) | map("\(length) to \(.[0].action)") | join(", ")),
      ($all | group_by(.address | sub("\\[.*"; ""))[]
        | "  \(.[0].action) \(.[0].address | sub("\\[.*"; ""))\(if length > 1 then " (\(length))" else "" end)")' "$plans/plan-$1.json"
}

# checkov FRAMEWORK ARG...: prints how many checks passed, those that failed, and those that are skipped with the reason.
checkov() {
  local framework=$1 report=$tmp/checkov.json
  shift
  (cd "$scanned/.." && "$bin/checkov" --framework "$framework" --skip-download --output json "$@" 2>"$tmp/checkov.log") \
    >"$report" || true
  jq -e '.summary.parsing_errors == 0 and .summary.passed > 0' "$report" >/dev/null || { cat "$tmp/checkov.log" "$report" >&2; return 1; }
  jq -r '
    "passed \(.summary.passed), failed \(.summary.failed), skipped \(.summary.skipped)",
    (.results.failed_checks // [] | sort_by(.check_id, .resource)[] | "failed: \(.check_id) \(.resource)"),
    (.results.skipped_checks // [] | group_by(.check_id, .check_result.suppress_comment)[]
      | "  \(.[0].check_id) \(map(.resource | sub("\\[.*"; "")) | unique | join(", ")): \(.[0].check_result.suppress_comment)")' "$report"
  jq -e '.summary.failed == 0' "$report" >/dev/null || failed+=("checkov $framework")
}

failed=()
bin=$(scanners)
sources terraform >"$plans/terraform.sha256" # before the copies: a later change makes them stale
dir=$(planned)
scanned=$(copy)

# sst/synth/cases.mjs has the same cases.
for case in dev:envs/dev stage:envs/stage prod:envs/prod oidc:envs/emulator options:tests/options; do
  plan "${case%%:*}" "${case#*:}"
  applied "${case%%:*}" "${case#*:}"
done
for stage in dev stage prod; do values "$stage"; done

mkdir -p "$repo/.cache/plans"
rm -f "$repo"/.cache/plans/{plan-*,applied-*,values-*,terraform.sha256}
cp "$plans"/* "$repo/.cache/plans/"

cp "$plans/values-dev.json" "$out/device-token-plan.json"

{
  printf 'What a first apply of each stage does.\n\ndev: '
  summary dev
  for stage in stage prod; do
    printf '\n%s: %s; compared with dev:\n' "$stage" "$(summary "$stage" | head -1)"
    diff <(summary dev | tail -n +2) <(summary "$stage" | tail -n +2) | sed -n 's/^[<] /-/p; s/^[>] /+/p' || true
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

# Not in a pipe, where bash would lose what checkov adds to failed.
checkov terraform --directory infrastructure >"$tmp/configuration"
checkov terraform_plan --file "$plans/plan-prod.json" --repo-root-for-plan-enrichment infrastructure >"$tmp/prod"
checkov terraform_plan --file "$plans/plan-oidc.json" --repo-root-for-plan-enrichment infrastructure >"$tmp/oidc"
{
  printf 'checkov %s\n\nThe configuration: ' "$("$bin/checkov" --version)"
  cat "$tmp/configuration"
  printf '\nThe plans of prod and of the emulator with OIDC, without the skips above:\n'
  grep -hvxF -f <(tail -n +2 "$tmp/configuration") "$tmp/prod" "$tmp/oidc"
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
