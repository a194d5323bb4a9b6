#!/usr/bin/env bash
# Prints the folders of the Go modules, the root first. It leaves out internal/tools, which has no code.
set -euo pipefail
cd "$(dirname "$0")/.."
find . \( -name node_modules -o -name testdata -o -path ./.cache -o -path ./.git -o -path ./internal/tools \) -prune \
  -o -name go.mod -print | sed 's|/go.mod$||' | sort
