#!/usr/bin/env bash
# Runs every benchmark of bench/ ROUNDS times and compares them with benchstat (usage: bench.sh ROUNDS [FLAGS of go test]).
set -euo pipefail
cd "$(dirname "$0")/.."

out=$PWD/.cache/bench.txt
mkdir -p .cache
: >"$out"
# Rounds instead of -count make the alternatives alternate, so that a busy moment of the machine slows all of them.
for ((round = 0; round < $1; round++)); do
  go -C bench test -run '^$' -bench . "${@:2}" >>"$out" || { cat "$out"; exit 1; }
done
names=$(grep -o '^Benchmark[A-Za-z]*' "$out" | sort -u) || { echo "no benchmark ran" >&2; exit 1; }
for name in $names; do
  echo
  echo "$name"
  go -C internal/tools tool benchstat -filter ".name:${name#Benchmark} -.unit:B/op" -col /impl "$out"
done
