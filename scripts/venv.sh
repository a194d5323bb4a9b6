#!/usr/bin/env bash
# Installs scripts/python/NAME.txt by hash into .cache/python/NAME, unless it is there, and prints the folder of its
# commands (usage: venv.sh NAME).
set -euo pipefail
cd "$(dirname "$0")/.."
wanted=$PWD/scripts/python/$1.txt venv=$PWD/.cache/python/$1

# The copy is written last, so it means a complete installation.
if ! cmp -s "$wanted" "$venv/requirements.txt"; then
  echo "Installing $1 into .cache/python/$1" >&2
  rm -rf "$venv"
  python3 -m venv "$venv" >&2
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: -r "$wanted" >&2
  cp "$wanted" "$venv/requirements.txt"
fi
echo "$venv/bin"
