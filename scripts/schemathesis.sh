#!/usr/bin/env bash
# Tests the HTTP API against its OpenAPI document with schemathesis, all checks on (usage: schemathesis.sh EXAMPLES).
set -euo pipefail
cd "$(dirname "$0")/.."

bin=$(scripts/venv.sh schemathesis)
go -C internal/openapi test -tags schemathesis -run '^TestSchemathesis$' -count=1 -timeout=30m -v . \
  -args -schemathesis "$bin/schemathesis" -examples "$1"
