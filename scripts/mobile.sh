#!/usr/bin/env bash
# Installs the npm packages in the lock file of a folder, without their scripts, unless they are there (usage:
# mobile.sh [FOLDER]; the default is examples/mobile).
set -euo pipefail
cd "$(dirname "$0")/.."
cd "${1:-examples/mobile}"

# npm ci first removes node_modules, so a stamp in it means a complete installation.
stamp=node_modules/.installed
if cmp -s package-lock.json "$stamp"; then
  exit 0
fi
echo "Installing the packages of $(basename "$(dirname "$PWD")")/$(basename "$PWD")"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
cp package-lock.json "$stamp"
