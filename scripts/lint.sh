#!/usr/bin/env bash
# Runs vet, staticcheck, revive and gofmt over every module, and fails for a go.mod that is not tidy. Needs the tools in
# .cache/bin.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
tags=ablation,debug,measure,schemathesis,soak # build tags of tests that other commands run
status=0
for module in $(scripts/modules.sh); do
  echo "lint $module"
  (
    cd "$module"
    go vet -tags "$tags" ./... || status=1
    "$root/.cache/bin/staticcheck" -tags "$tags" ./... || status=1
    "$root/.cache/bin/revive" -config "$root/revive.toml" -set_exit_status ./... || status=1
    go mod tidy -diff || { echo "not tidy: $module" >&2; status=1; }
    exit "$status"
  ) || status=1
done
go -C internal/tools mod tidy -diff || { echo "not tidy: internal/tools" >&2; status=1; }

unformatted=$(find . \( -name node_modules -o -name .sst -o -path ./.cache \) -prune -o -name '*.go' -print0 | xargs -0 gofmt -l -s)
if [[ -n "$unformatted" ]]; then
  printf 'not formatted (gofmt -s -w):\n%s\n' "$unformatted"
  status=1
fi
exit "$status"
