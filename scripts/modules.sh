#!/usr/bin/env bash
# Prints the folder of every Go module of the repository, the root first; internal/tools holds no code and is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
find . \( -name node_modules -o -name testdata -o -path ./.cache -o -path ./.git -o -path ./internal/tools \) -prune \
  -o -name go.mod -print | sed 's|/go.mod$||' | sort
