#!/usr/bin/env bash
# Fails, with the differences, if the go.mod or go.sum of any module is not what `go mod tidy` would write.
set -euo pipefail
cd "$(dirname "$0")/.."

status=0
for module in $(scripts/modules.sh) ./internal/tools; do
  go -C "$module" mod tidy -diff || { echo "not tidy: $module" >&2; status=1; }
done
exit "$status"
