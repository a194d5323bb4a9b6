#!/usr/bin/env bash
# Compares the exported API with that of the last release (usage: api.sh [REPOSITORY]). Before v1, an incompatible change
# needs a line under "Unreleased" in CHANGELOG.md that begins with "- **Incompatible:**", and so a new minor version; from v1
# on it fails. Expects apidiff in .cache/bin.
set -euo pipefail
tools=$(cd "$(dirname "$0")/.." && pwd)
cd "${1:-$tools}"

work=$(mktemp -d)
trap 'git worktree remove --force "$work/old" 2>/dev/null || true; rm -rf "$work"' EXIT
status=0
# Each module that others import has tags of its own: those of the root are vX.Y.Z.
for module in . httpapi/oidcauth; do
  prefix=$([[ $module == . ]] || echo "$module/")
  tag=$(git tag --merged HEAD --list "${prefix}v[0-9]*" --sort=-version:refname | grep -E "^${prefix}v[0-9]+\.[0-9]+\.[0-9]+$" | head -1 || true)
  name=$(go -C "$module" list -m)
  if [[ -z $tag ]]; then
    echo "$name: no release yet, so that there is nothing to compare with"
    continue
  fi
  git worktree add --quiet --force --detach "$work/old" "$tag"
  (cd "$work/old/$module" && "$tools/.cache/bin/apidiff" -m -w "$work/old.api" "$name")
  git worktree remove --force "$work/old"
  (cd "$module" && "$tools/.cache/bin/apidiff" -m -w "$work/new.api" "$name")
  "$tools/.cache/bin/apidiff" -m -incompatible "$work/old.api" "$work/new.api" >"$work/incompatible"
  if [[ ! -s $work/incompatible ]]; then
    echo "$name: compatible with $tag"
    continue
  fi
  echo "$name: incompatible with $tag:"
  cat "$work/incompatible"
  if [[ $tag != "$prefix"v0.* ]]; then
    echo "a module from v1 on may not break those who import it" >&2
    status=1
  elif ! sed -n '/^## \[Unreleased\]/,/^## \[[0-9]/p' CHANGELOG.md | grep -q '^- \*\*Incompatible:\*\*'; then
    echo 'CHANGELOG.md does not say so: "Unreleased" needs a line that begins with "- **Incompatible:**"' >&2
    status=1
  fi
done
exit "$status"
