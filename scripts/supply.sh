#!/usr/bin/env bash
# Runs every check of what the repository is made of and of what it promises.
set -euo pipefail
cd "$(dirname "$0")/.."

status=0
for check in licences vulnerabilities secrets workflows api release; do
  began=$SECONDS
  echo "== $check"
  scripts/$check.sh || { status=1; echo "== $check FAILED"; }
  echo "== $check took $((SECONDS - began))s"
done
exit "$status"
