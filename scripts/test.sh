#!/usr/bin/env bash
# Runs the tests of every module with the race detector, flags passed on; prints go test's JSON, for gotestsum to sum up.
set -euo pipefail
cd "$(dirname "$0")/.."

# No package may be left out of the race detector: the linker may take a generic function from it, such as an atomic
# pointer's, and then the detector reports races that are none.
# The race detector also turns on checks of unsafe pointers. They take a third of the time of SQLite, which is translated
# from C, and its package is not ours to test.
flags=(-json -race '-gcflags=modernc.org/...=-d=checkptr=0' -timeout 30m "$@")

# test_modules MODULE...: tests the modules, one after another.
test_modules() {
  local module status=0
  for module; do
    go -C "$module" test "${flags[@]}" ./... || status=1
  done
  return "$status"
}

# The root module runs beside the others, because each spends much of its time waiting for an engine. Two streams would
# mix within a line, so the output of the others is printed when the root's has ended.
modules=($(scripts/modules.sh))
others=$(mktemp)
trap 'rm -f "$others"' EXIT
trap 'trap - INT TERM; kill 0' INT TERM # a background job of a script ignores Ctrl-C
status=0
test_modules "${modules[@]:1}" >"$others" &
test_modules "${modules[0]}" || status=1
wait "$!" || status=1
cat "$others"
exit "$status"
