#!/usr/bin/env bash
# Looks for secrets in every commit, and in the files of the last one, whose merges the history does not show (usage: secrets.sh [REPOSITORY]). Expects gitleaks in
# .cache/bin. What looks like one and is made up is listed in .gitleaks.toml, with the reason.
set -euo pipefail
tools=$(cd "$(dirname "$0")/.." && pwd)
cd "${1:-$tools}"

if [[ $(git rev-parse --is-shallow-repository) == true ]]; then
  echo "the history is cut off, so that it cannot be searched: fetch all of it" >&2
  exit 1
fi
"$tools/.cache/bin/gitleaks" git --no-banner --no-color --redact --verbose --config "$tools/.gitleaks.toml" .
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
git archive HEAD | tar -x -C "$tree"
cd "$tree"
"$tools/.cache/bin/gitleaks" dir --no-banner --no-color --redact --verbose --config "$tools/.gitleaks.toml" .
