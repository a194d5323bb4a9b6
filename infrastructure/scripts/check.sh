#!/usr/bin/env bash
# Checks the Terraform without an account: form, lint, validity, tests under mocked providers, and drift.sh.
# evidence.sh --check scans the configuration and the plans.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need jq python3 go "${terraform[0]}"

failed=()
# step NAME COMMAND...: runs the command and shows its output if it fails.
step() {
  local name=$1
  shift
  if quietly "$@"; then
    echo "ok    $name"
  else
    echo "FAIL  $name"
    failed+=("$name")
  fi
}

# tested DIR: runs init, validate and test, notes the number of tests, and fails if there is none.
tested() {
  local log=$tmp/test
  # In a condition, as here, bash does not stop at a command that fails.
  init "$1" || return 1
  "${terraform[@]}" -chdir="$1" validate -no-color || return 1
  "${terraform[@]}" -chdir="$1" test -no-color >"$log" 2>&1 || { grep -v '\.\.\. pass$' "$log"; return 1; }
  grep -E '^Success! [1-9][0-9]* passed, 0 failed' "$log" >>"$tmp/totals"
}

bin=$(scanners)
dir=$(copy)

step "terraform fmt" "${terraform[@]}" -chdir="$infra" fmt -check -diff -recursive
step "tflint" "$bin/tflint" --chdir="$dir" --recursive # the copy has no node_modules
step "storage module" tested "$dir/modules/storage"
step "root module" tested "$dir"
step "drift" "$infra/scripts/drift_test.sh"
for script in "$infra"/scripts/*.sh; do step "bash -n ${script##*/}" bash -n "$script"; done

cat "$tmp/totals" 2>/dev/null || true
if ((${#failed[@]})); then
  printf 'FAIL  %s\n' "${failed[@]}" >&2
  exit 1
fi
