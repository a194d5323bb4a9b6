#!/usr/bin/env bash
# Runs every check of what the repository is made of and of what it promises
# (usage: supply.sh [NAME]; with a NAME, what they found is recorded in docs/results/NAME.json).
set -euo pipefail
cd "$(dirname "$0")/.."

out=.cache/supply
mkdir -p "$out"
: >"$out/found"
status=0
for check in licences vulnerabilities secrets workflows api release; do
  began=$SECONDS
  echo "== $check"
  scripts/$check.sh 2>&1 | tee "$out/$check.log" || { status=1; echo "== $check FAILED"; }
  echo "== $check took $((SECONDS - began))s"
  printf '%s\t%s\n' "$check" "$(tail -1 "$out/$check.log")" >>"$out/found"
done

if [[ -n ${1:-} && $status == 0 ]]; then
  machine="$(go env GOVERSION) on $(go env GOOS)/$(go env GOARCH), $(getconf _NPROCESSORS_ONLN) CPUs"
  jq --raw-input --slurp --arg machine "$machine" '{command: "make supply RECORD=supply", machine: $machine, tables: {found: {
    columns: ["check", "what it said"], rows: [split("\n")[] | select(. != "") | split("\t")]}}}' "$out/found" >"docs/results/$1.json"
fi
exit "$status"
