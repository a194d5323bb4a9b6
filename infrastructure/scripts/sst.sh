#!/usr/bin/env bash
# Checks infrastructure/sst without an account; needs the registry of npm.
#
#   sst.sh install       installs the packages of the lock file, and SST's platform
#   sst.sh synth         evaluates each case into .cache/plans, and writes docs/evidence/infra/sst-synth-output.txt
#   sst.sh check         checks the types, tests the settings, evaluates each case, compares the summary with the evidence
#                        and the resources with the Terraform plans of `make evidence-check`
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$infra/sst"

export SST_SKIP_DEPENDENCY_CHECK=1 SST_TELEMETRY_DISABLED=1

# bun prints the path of the real bun: without install scripts node_modules/.bin/bun is a placeholder.
bun() {
  local found=("$PWD"/node_modules/@oven/bun-*/bin/bun)
  echo "${found[0]}"
}

install() {
  # A complete installation has this stamp.
  local stamp=.sst/installed
  if [[ -d node_modules ]] && cat package-lock.json sst.config.ts | cmp -s - "$stamp"; then
    return
  fi
  rm -rf node_modules .sst
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  SST_STAGE=dev SST_BUN_PATH=$(bun) node_modules/.bin/sst install
  cat package-lock.json sst.config.ts >"$stamp"
}

# types fails for any error of the compiler but one in the platform's own sources, and for a crash.
types() {
  local code=0 log=.sst/types.log
  node_modules/.bin/tsc --project tsconfig.json --pretty false >"$log" 2>&1 || code=$?
  if ((code > 2)) ||
    grep -vE '^ |^\.sst/platform/src/components/aws/function\.ts\([0-9,]+\): error TS2345:' "$log" ||
    { ((code > 0)) && [[ ! -s $log ]]; }; then
    echo "FAIL  types (tsc ended with $code)" >&2
    return 1
  fi
  echo "ok    types suit SST $(cat .sst/platform/version)"
}

# synthesise [--check]: evaluates each case into .cache/plans, and writes the digests of the sources last.
synthesise() {
  local plans=$repo/.cache/plans
  mkdir -p "$plans"
  rm -f "$plans"/sst*
  sources sst >"$tmp/sst.sha256"
  node synth/synthesize.mjs "$@"
  mv "$tmp/sst.sha256" "$plans/"
}

case "${1:-}" in
  install) install ;;
  synth)
    install
    synthesise
    ;;
  check)
    install
    types
    "$(bun)" test stacks
    synthesise --check
    # -v shows the tests that skip because Terraform's plans are missing.
    go -C "$repo" test -count=1 -v -run '^TestSST' ./infrastructure | grep -v '^=== '
    ;;
  *)
    sed -n 's/^#   //p' "$0" >&2
    exit 1
    ;;
esac
