#!/usr/bin/env bash
# Fails if the tests of the core packages cover less than 95 % of the statements of any of them.
set -euo pipefail
cd "$(dirname "$0")/.."

data=$PWD/.cache/cover
rm -rf "$data" && mkdir -p "$data"
packages=(./tokens ./store ./memstore ./httpapi)
go test -count=1 -cover -coverpkg="$(IFS=,; echo "${packages[*]}")" ./tokens/... ./store/... ./memstore/... ./httpapi/... \
  -args -test.gocoverdir="$data" >"$data/log" || { cat "$data/log"; exit 1; }
go tool covdata percent -i="$data" -pkg="$(go list "${packages[@]}" | paste -sd,)" | tee "$data/percent"
awk '{ sub(/%/, "", $3); if ($3 + 0 < 95) low = 1 } END { exit low || NR != 4 }' "$data/percent" ||
  { echo "a package is below 95 %, or missing" >&2; exit 1; }
