#!/usr/bin/env bash
# Tests the HTTP API against its OpenAPI document with schemathesis, all checks on (usage: schemathesis.sh [EXAMPLES [NAME]];
# with a NAME, its figures are recorded in docs/results/NAME.json).
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

if [[ -n ${2:-} ]]; then
  machine="$(go env GOVERSION) on $(go env GOOS)/$(go env GOARCH), $(getconf _NPROCESSORS_ONLN) CPUs"
  jq --arg machine "$machine" --arg examples "$examples" '
    def count: length | tostring;
    {command: "make conformance", machine: $machine, tables: {run: {
      columns: ["schemathesis", "phases", "operations tested", "examples of each", "requests", "failures", "errors", "warnings"],
      rows: [[.schemathesis_version, ([.phases | to_entries[] | select(.value.status == "success") | .key] | join(", ")),
        "\(.operations.tested) of \(.operations.total)", $examples, (.test_cases.generated | tostring),
        (.failures | count), (.errors | count), ([.warnings[] | arrays | .[]] | count)]]}}}' \
    .cache/schemathesis/report.json >"docs/results/$2.json"
fi
