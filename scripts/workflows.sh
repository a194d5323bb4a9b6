#!/usr/bin/env bash
# Lints the workflows of GitHub, and fails if an action is not pinned to a commit (usage: workflows.sh [FOLDER]). Expects
# actionlint in .cache/bin.
set -euo pipefail
tools=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$tools/.github/workflows}

"$tools/.cache/bin/actionlint" "$folder"/*.yml
if grep -nE 'uses: ' "$folder"/*.yml | grep -vE 'uses: [^ ]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+$'; then
  echo "these actions are not pinned to a commit, with its version behind it: a tag may be moved" >&2
  exit 1
fi
echo "$(find "$folder" -name '*.yml' | wc -l) workflows, $(cat "$folder"/*.yml | grep -c 'uses: ') actions pinned"
