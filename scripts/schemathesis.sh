#!/usr/bin/env bash
# Tests the HTTP API against its OpenAPI document with schemathesis, all checks on (usage: schemathesis.sh [EXAMPLES]).
set -euo pipefail
cd "$(dirname "$0")/.."
examples=${1:-100}
version=4.32.5

venv=$PWD/.cache/schemathesis-$version
if [[ ! -x $venv/bin/schemathesis ]]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
fi

mkdir -p .cache/schemathesis
go -C internal/openapi build -o "$PWD/.cache/schemathesis/serve" ./serve
exec {url}< <(exec .cache/schemathesis/serve)
server=$!
trap 'kill "$server"' EXIT
read -r -u "$url" base

# It leaves files where it runs.
(cd .cache/schemathesis && "$venv/bin/schemathesis" run --url "$base" --header 'Authorization: Bearer valid' \
  --checks all --max-examples "$examples" --no-color --report json --report-json-path report.json ../../httpapi/openapi.yaml)
