#!/usr/bin/env bash
# Runs the tests of every module with the race detector, flags passed on; prints go test's JSON, for gotestsum to sum up.
set -euo pipefail
cd "$(dirname "$0")/.."

status=0
# No package may be left out of the race detector: the linker may take a generic function from it, such as an atomic
# pointer's, and then the detector reports races that are none.
# The race detector also turns on checks of unsafe pointers. They take a third of the time of SQLite, which is translated
# from C, and its package is not ours to test.
for module in $(scripts/modules.sh); do
  go -C "$module" test -json -race '-gcflags=modernc.org/...=-d=checkptr=0' -timeout 30m "$@" ./... || status=1
done
exit "$status"
