#!/usr/bin/env bash
# Fails if less than 95 % of the statements of a core package is covered by the tests of these packages.
set -euo pipefail
cd "$(dirname "$0")/.."

minimum=95
packages=(tokens store memstore httpapi)

module=$(go list -m)
coverpkg=$(printf "$module/%s," "${packages[@]}")
mkdir -p .cache/test
profile=.cache/test/cover.out
go test -coverpkg="${coverpkg%,}" -coverprofile="$profile" $(printf "./%s/... " "${packages[@]}") >.cache/test/cover.log || {
  cat .cache/test/cover.log
  echo "the tests failed under coverage" >&2
  exit 1
}

# Every test binary writes a line for each block, so a block counts as covered if any of them ran it.
awk -v module="$module" -v packages="${packages[*]}" -v minimum="$minimum" '
  NR > 1 { statements[$1] = $2; if ($3 > 0) covered[$1] = 1 }
  END {
    for (block in statements) {
      package = block
      sub(/\/[^\/]*$/, "", package)
      total[package] += statements[block]
      if (block in covered) hit[package] += statements[block]
    }
    n = split(packages, names, " ")
    for (i = 1; i <= n; i++) {
      package = module "/" names[i]
      if (!total[package]) {
        printf "%-10s no statements: is the package gone?\n", names[i]
        failed = 1
        continue
      }
      percent = 100 * hit[package] / total[package]
      low = percent < minimum
      printf "%-10s %5.1f %% of %d statements%s\n", names[i], percent, total[package], low ? ", less than " minimum " %" : ""
      failed = failed || low
    }
    exit failed
  }' "$profile"
