#!/usr/bin/env bash
# Tests the HTTP API against its OpenAPI document with schemathesis, all checks on (usage: schemathesis.sh EXAMPLES).
set -euo pipefail
cd "$(dirname "$0")/.."

version=4.32.5
venv=$PWD/.cache/schemathesis-$version
if [[ ! -x $venv/bin/schemathesis ]]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
fi
go -C internal/openapi test -tags schemathesis -run '^TestSchemathesis$' -count=1 -timeout=30m -v . \
  -args -schemathesis "$venv/bin/schemathesis" -examples "$1"
