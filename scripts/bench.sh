#!/usr/bin/env bash
# Runs every benchmark ROUNDS times and prints how they compare, by benchstat (usage: bench.sh ROUNDS [FLAGS of go test]).
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-6}
out=.cache/bench.txt
mkdir -p .cache
# Not -count: the alternatives take turns, so that a busy moment of the machine slows all of them.
for ((round = 0; round < rounds; round++)); do
  go -C bench test -p 1 -run '^$' -bench . "${@:2}" ./...
done | tee "$out"
go -C internal/tools tool benchstat -table pkg,.name -row .fullname -col /impl "$PWD/$out"
