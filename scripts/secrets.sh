#!/usr/bin/env bash
# Looks for secrets in every commit, and in the files of the last one, since the history does not show what a merge changed
# (usage: secrets.sh [REPOSITORY]). Expects gitleaks in .cache/bin. What looks like one and is made up is listed in
# .gitleaks.toml, with the reason.
set -euo pipefail
tools=$(cd "$(dirname "$0")/.." && pwd)
cd "${1:-$tools}"

if [[ $(git rev-parse --is-shallow-repository) == true ]]; then
  echo "NOT SEARCHED: commits that this clone was made without"
  [[ -z ${GITHUB_ACTIONS:-} ]] || exit 1
fi
commits=$(git rev-list --count HEAD)
"$tools/.cache/bin/gitleaks" git --no-banner --log-level error --no-color --redact --verbose --config "$tools/.gitleaks.toml" .
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
git archive HEAD | tar -x -C "$tree"
cd "$tree"
"$tools/.cache/bin/gitleaks" dir --no-banner --log-level error --no-color --redact --verbose --config "$tools/.gitleaks.toml" .
echo "no secret in $commits commits, nor in the files of the last one"
