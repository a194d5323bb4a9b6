#!/usr/bin/env bash
# Builds examples/local as it can be watched, and puts it under load and misuse (usage: soak.sh FLAGS of internal/proof/soak).
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p .cache/soak
go -C examples build -tags debug -o "$PWD/.cache/soak/local" ./local
go -C internal/proof build -o "$PWD/.cache/soak/soak" ./soak
exec .cache/soak/soak -server .cache/soak/local "$@"
