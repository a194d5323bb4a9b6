#!/usr/bin/env bash
# Installs the packages of a folder as its lock file says, unless they are there; runs none of their scripts (usage:
# mobile.sh [FOLDER]; without one, those that the tests of examples/mobile need).
set -euo pipefail
cd "$(dirname "$0")/.."
cd "${1:-examples/mobile}"

# npm ci removes what is installed before it begins, so a stamp in there is one of a whole installation.
stamp=node_modules/.installed
if cmp -s package-lock.json "$stamp"; then
  exit 0
fi
echo "Installing the packages of $(basename "$(dirname "$PWD")")/$(basename "$PWD")"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
cp package-lock.json "$stamp"
