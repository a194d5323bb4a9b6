#!/usr/bin/env bash
# Lists everything that `make test` needs and this machine lacks.
set -euo pipefail
cd "$(dirname "$0")/.."

lacking=()
# need MINIMUM FOUND TEXT: adds TEXT to the list unless FOUND, a major version, is at least MINIMUM.
need() {
  [[ "${2:-}" =~ ^[0-9]+$ ]] && (($2 >= $1)) || lacking+=("$3 (found: ${2:-none})")
}

if ! command -v go >/dev/null; then
  newest=$(sed -n 's/^go //p' go.mod internal/tools/go.mod | sort -t. -k1,1n -k2,2n | tail -1)
  lacking+=("Go $newest or newer, for everything")
else
  # A Go that is too old for a module fetches a newer one with GOTOOLCHAIN=auto, the default, and fails otherwise.
  for module in $(scripts/modules.sh) ./internal/tools; do
    complaint=$(go -C "$module" list -m 2>&1 >/dev/null) ||
      lacking+=("a Go that suits ${module#./}/go.mod: $(tail -1 <<<"$complaint")")
  done
  compiler=$(go env CC)
  command -v "${compiler%% *}" >/dev/null || lacking+=("a C compiler ($compiler), for the race detector (go test -race)")
fi

command -v curl >/dev/null || lacking+=("curl, to try the lines that examples/local prints")

if [[ -z "${DYNAMODB_ENDPOINT:-}" ]]; then
  need 17 "$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' || true)" \
    "Java 17 or newer, to run DynamoDB Local, unless DYNAMODB_ENDPOINT names a DynamoDB to test against"
  command -v mvn >/dev/null || lacking+=("Maven (mvn), to fetch DynamoDB Local, unless DYNAMODB_ENDPOINT is set")
fi
if [[ -z "${POSTGRES_URL:-}" ]]; then
  command -v mvn >/dev/null || lacking+=("Maven (mvn), to fetch PostgreSQL, unless POSTGRES_URL names one to test against")
  # The tar of macOS needs no xz.
  [[ $(uname) == Darwin ]] || command -v xz >/dev/null || lacking+=("xz, to unpack PostgreSQL, unless POSTGRES_URL is set")
fi

if [[ -e examples/mobile/package.json ]]; then
  need 20 "$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p' || true)" \
    "Node.js 20 or newer, for the tests of examples/mobile"
  command -v npm >/dev/null || lacking+=("npm, for the dependencies of examples/mobile")
fi

if ((${#lacking[@]})); then
  echo "make test needs what this machine lacks:" >&2
  printf '  - %s\n' "${lacking[@]}" >&2
  exit 1
fi
