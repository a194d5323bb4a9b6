#!/usr/bin/env bash
# Runs the tests of every module with the race detector, flags passed on; prints go test's JSON, for gotestsum to sum up.
set -euo pipefail
cd "$(dirname "$0")/.."

status=0
# No package may be left out of the race detector: the linker may take a generic function from it, such as an atomic
# pointer's, and then the detector reports races that are none.
for module in $(scripts/modules.sh); do
  go -C "$module" test -json -race -timeout 30m "$@" ./... || status=1
done
exit "$status"
