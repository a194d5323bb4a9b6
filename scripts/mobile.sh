#!/usr/bin/env bash
# Installs what the tests of examples/mobile need, as its lock file says, unless that is there; runs no package's scripts.
set -euo pipefail
cd "$(dirname "$0")/../examples/mobile"

# npm ci removes what is installed before it begins, so a stamp in there is one of a whole installation.
stamp=node_modules/.installed
if cmp -s package-lock.json "$stamp"; then
  exit 0
fi
echo "Installing the packages of examples/mobile"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
cp package-lock.json "$stamp"
