#!/usr/bin/env bash
# Runs the tests of every module with the race detector, flags passed on; prints go test's JSON, for gotestsum to sum up.
set -euo pipefail
cd "$(dirname "$0")/.."

status=0
# The race detector watches our code, and not the SQLite that was translated from C, which then takes half the time.
for module in $(scripts/modules.sh); do
  go -C "$module" test -json -race -gcflags=modernc.org/...=-race=false -timeout 30m "$@" ./... || status=1
done
exit "$status"
