#!/usr/bin/env bash
# Prints gotestsum's totals on one plain line and keeps it in .cache/test/totals; gotestsum runs this at its end.
set -euo pipefail
cd "$(dirname "$0")/.."

# Counted from the events rather than by subtraction: a package that does not build is a failure, but not a test.
passed=$(grep '"Action":"pass"' "$GOTESTSUM_JSONFILE_TIMING_EVENTS" | grep -c '"Test":' || true)
echo "$passed passed, $TESTS_FAILED failed, $TESTS_SKIPPED skipped" | tee .cache/test/totals
