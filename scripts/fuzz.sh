#!/usr/bin/env bash
# Runs every fuzz target of every module for a time or a number of executions, and fails if there is none (usage: fuzz.sh 10s).
set -euo pipefail
cd "$(dirname "$0")/.."

fuzztime=${1:-10s}
status=0
targets=0
for module in $(scripts/modules.sh); do
  # go test prints the targets of a package, one a line, and then "ok PACKAGE TIME".
  list=$(go -C "$module" test -vet=off -list '^Fuzz' ./...) || { echo "$list"; status=1; continue; }
  while read -r package target; do
    targets=$((targets + 1))
    began=$SECONDS
    echo "== $package $target, $fuzztime"
    go -C "$module" test -vet=off -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" "$package" </dev/null || status=1
    echo "== $package $target took $((SECONDS - began))s with its build"
  done < <(awk '/^Fuzz/ { found[n++] = $1 } $1 == "ok" { for (i = 0; i < n; i++) print $2, found[i]; n = 0 }' <<<"$list")
done

echo "$targets fuzz targets"
((targets > 0)) || { echo "no fuzz target found" >&2; status=1; }
exit "$status"
