#!/usr/bin/env bash
# Shows that the checks of scripts/supply.sh notice what they are for: each is given something that it has to refuse, in
# repositories made for it. Nothing of this repository is changed.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
shown=0

# expect OUTCOME WHAT TEXT COMMAND...: OUTCOME is "refuses" or "accepts", and TEXT has to be in what the command says.
expect() {
  local outcome=$1 what=$2 text=$3 got=accepts
  shift 3
  "$@" >"$work/said" 2>&1 || got=refuses
  if [[ $got == "$outcome" ]] && grep -qF -- "$text" "$work/said"; then
    shown=$((shown + 1))
    echo "$outcome $what"
  else
    echo "WRONG: $what: it $got, want: $outcome, saying \"$text\":" >&2
    cat "$work/said" >&2
    status=1
  fi
}

commit() { git -C "$repo" add --all && git -C "$repo" -c user.name=test -c user.email=test@example.com commit --quiet --message "$1"; }

# A secret stays in the history when its file is gone.
repo=$work/secrets
git init --quiet "$repo"
printf 'aws_access_key_id = AKIA%s\n' "Z7YQ3LMX5RWK2VTB" >"$repo/credentials"
commit "add it"
expect refuses "a secret in a file" aws-access-token scripts/secrets.sh "$repo"
rm "$repo/credentials"
echo nothing >"$repo/other"
commit "remove it"
expect refuses "a secret in the history" aws-access-token scripts/secrets.sh "$repo"

# Workflows.
mkdir "$work/workflows"
workflow() {
  printf 'on: push\njobs:\n  one:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: %s\n      - run: echo "%s"\n' "$1" "$2" >"$work/workflows/one.yml"
}
pinned="actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2"
workflow "$pinned" ok
expect accepts "a workflow that is right" "1 actions pinned" scripts/workflows.sh "$work/workflows"
workflow actions/checkout@v6 ok
expect refuses "an action by its tag" "not pinned" scripts/workflows.sh "$work/workflows"
workflow "$pinned" '${{ github.event.head_commit.message }}'
expect refuses "a workflow that runs what others wrote" "potentially untrusted" scripts/workflows.sh "$work/workflows"

# Licences.
expect refuses "a licence that is not on the list" "the licence of pgregory.net/rapid is not allowed: MPL-2.0" \
  env ALLOWED_LICENCES=" Apache-2.0 BSD-3-Clause MIT " scripts/licences.sh

# The database of vulnerabilities: unreachable, which is no pass on GitHub.
closed=http://127.0.0.1:9
expect accepts "no database here, and says so" "NOT CHECKED" env -u GITHUB_ACTIONS GOVULNDB=$closed scripts/vulnerabilities.sh
expect refuses "no database on GitHub" "NOT CHECKED" env GITHUB_ACTIONS=true GOVULNDB=$closed scripts/vulnerabilities.sh

# The API since a release, in a copy of the last commit with a tag and a changelog of its own, whatever was released since.
repo=$work/api
git clone --quiet --no-local --no-tags --depth 1 "file://$PWD" "$repo" 2>/dev/null
printf '# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-01-02\n\n### Added\n\n- All.\n' >"$repo/CHANGELOG.md"
commit "begin with v0.1.0"
git -C "$repo" tag v0.1.0
git -C "$repo" tag httpapi/oidcauth/v0.1.0
expect accepts "a release with its entry" v0.1.0 scripts/release.sh "$repo"
printf '\n// Added is new.\nconst Added = 1\n' >>"$repo/tokens/token.go"
commit "add to the API"
expect accepts "an addition to the API" "compatible with v0.1.0" scripts/api.sh "$repo"
git -C "$repo" grep -lzw ClockSkew -- '*.go' | (cd "$repo" && xargs -0 sed -i 's/\bClockSkew\b/Skew/g')
commit "rename a constant"
expect refuses "an incompatible change that the changelog hides" "ClockSkew: removed" scripts/api.sh "$repo"
sed -i 's/^## \[Unreleased\]$/## [Unreleased]\n\n### Changed\n\n- **Incompatible:** store.ClockSkew is store.Skew./' "$repo/CHANGELOG.md"
commit "say so"
expect accepts "an incompatible change that the changelog names" "ClockSkew: removed" scripts/api.sh "$repo"
git -C "$repo" tag v0.1.1
expect refuses "a release without an entry" 'no entry "## [0.1.1] - DATE"' scripts/release.sh "$repo"
sed -i 's/^## \[Unreleased\]$/## [Unreleased]\n\n## [0.1.1] - 2026-01-03/' "$repo/CHANGELOG.md"
commit "release it as a patch"
git -C "$repo" tag --force v0.1.1 >/dev/null
expect refuses "an incompatible patch" "a patch of v0.1.0 may not be incompatible" scripts/release.sh "$repo"
git -C "$repo" tag --delete v0.1.1 >/dev/null
sed -i 's/^## \[0.1.1\]/## [0.2.0]/' "$repo/CHANGELOG.md"
commit "release it as a minor version"
git -C "$repo" tag v0.2.0
expect accepts "an incompatible minor version before v1" v0.2.0 scripts/release.sh "$repo"
git -C "$repo" tag v1.0.0 v0.1.0
expect refuses "an incompatible change after v1" "from v1 on" scripts/api.sh "$repo"

echo "$shown cases decided as they have to be"
exit "$status"
