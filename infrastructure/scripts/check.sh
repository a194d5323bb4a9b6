#!/usr/bin/env bash
# Every check of the Terraform that needs no account: form, validity, tests under
# mocked providers, lint, and drift.sh. The scans over code and plans are
# evidence.sh --check.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
need jq python3 go "${terraform[0]}"

failed=()
# step NAME COMMAND...: runs the command and shows what it said if it failed.
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

# tested DIR: init, validate and test; says how many tests there were, and fails
# if there were none.
tested() {
  local log
  log=$(mktemp "$tmp/test.XXXXXX")
  # In a condition, as here, bash does not stop at a command that fails.
  init "$1" || return 1
  "${terraform[@]}" -chdir="$1" validate -no-color || return 1
  "${terraform[@]}" -chdir="$1" test -no-color >"$log" 2>&1 || { grep -v '\.\.\. pass$' "$log"; return 1; }
  grep -E '^Success! [1-9][0-9]* passed, 0 failed' "$log" >>"$tmp/totals"
}

bin=$("$infra/scripts/tools.sh")
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
