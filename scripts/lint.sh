#!/usr/bin/env bash
# Runs vet, staticcheck and revive over every module, and gofmt over every file; expects the tools in .cache/bin.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
tags=ablation,debug,measure # of what has commands of its own
status=0
for module in $(scripts/modules.sh); do
  echo "lint $module"
  (
    cd "$module"
    go vet -tags "$tags" ./... || status=1
    "$root/.cache/bin/staticcheck" -tags "$tags" ./... || status=1
    "$root/.cache/bin/revive" -config "$root/revive.toml" -set_exit_status ./... || status=1
    exit "$status"
  ) || status=1
done

unformatted=$(find . \( -name node_modules -o -name .sst -o -path ./.cache \) -prune -o -name '*.go' -print0 | xargs -0 gofmt -l -s)
if [[ -n "$unformatted" ]]; then
  printf 'not formatted (gofmt -s -w):\n%s\n' "$unformatted"
  status=1
fi
exit "$status"
