#!/usr/bin/env bash
# Fails unless each release tag has its entry in CHANGELOG.md, and breaks nothing that its number promises to keep (usage:
# release.sh [REPOSITORY]). Before v1, what is incompatible takes a new minor version.
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

status=0
before=
while read -r tag; do
  entry=$(sed -n "/^## \[${tag#v}\] - [0-9]\{4\}-[0-9][0-9]-[0-9][0-9]\$/,/^## \[/p" <(git show "$tag:CHANGELOG.md"))
  if [[ -z $entry ]]; then
    echo "$tag: CHANGELOG.md of that commit has no entry \"## [${tag#v}] - DATE\"" >&2
    status=1
  elif grep -q '^- \*\*Incompatible:\*\*' <<<"$entry" && [[ -n $before && ${tag%.*} == "${before%.*}" ]]; then
    echo "$tag: a patch of $before may not be incompatible with it" >&2
    status=1
  fi
  before=$tag
done < <(git tag --merged HEAD --list 'v[0-9]*' --sort=version:refname | grep -E '^v[0-9]+\.[0-9]+\.[0-9]+$' || true)
echo "${before:-no release yet}: the changelog's entries are $( ((status == 0)) && echo there || echo wrong)"
exit "$status"
