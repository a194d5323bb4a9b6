#!/usr/bin/env bash
# The checks of infrastructure/sst, which need no account but the registry of npm.
#
#   sst.sh install       the packages of the lock file, and the platform that SST builds on
#   sst.sh types         the configuration suits SST's types
#   sst.sh synth         evaluates it for each stage into .cache/plans, and writes docs/evidence/infra/sst-synth-output.txt
#   sst.sh check         all of these, but the summary is only compared; tests the settings, and compares what
#                        is registered with the Terraform plans that `make evidence-check` leaves in .cache/plans
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
  # What was installed to the end, from the same lock file and providers, has this stamp.
  local stamp=.sst/installed
  if [[ -d node_modules ]] && cat package-lock.json sst.config.ts | cmp -s - "$stamp"; then
    return
  fi
  rm -rf node_modules .sst
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  SST_STAGE=dev SST_BUN_PATH=$(bun) node_modules/.bin/sst install
  cat package-lock.json sst.config.ts >"$stamp"
}

# The platform's own sources have one error with any settings. Anything else that
# begins a line is another error, or a crash of the compiler.
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

# synthesise [--check]: into .cache/plans, with the digest of the sources last.
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
  # Each command on a line of its own: bash does not stop at a failure before an &&.
  types)
    install
    types
    ;;
  synth)
    install
    synthesise
    ;;
  check)
    install
    types
    "$(bun)" test stacks
    synthesise --check
    # -v shows what is skipped for want of Terraform's plans.
    go -C "$repo" test -count=1 -v -run '^TestSST' ./infrastructure | grep -v '^=== '
    ;;
  *)
    sed -n 's/^#   //p' "$0" >&2
    exit 1
    ;;
esac
