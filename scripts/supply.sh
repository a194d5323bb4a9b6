#!/usr/bin/env bash
# Checks licences, vulnerabilities, secrets, workflows and releases. Needs the tools in .cache/bin.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$PWD/.cache/bin

# Licences that require only attribution, and the MPL, which applies to changes of the licensed files.
allowed=Apache-2.0,MIT,BSD-2-Clause,BSD-3-Clause,0BSD,ISC,BlueOak-1.0.0,Unlicense,CC0-1.0,CC-BY-4.0,Python-2.0,MPL-2.0

# licences fails for a Go or npm dependency whose licence is unknown or not allowed.
licences() {
  local module lock bad ours status=0
  ours=$(go list -m)
  for module in . httpapi/oidcauth examples; do
    (cd "$module" && GOOS=linux GOARCH=amd64 "$bin/go-licenses" check ./... --include_tests --ignore "$ours" --allowed_licenses="$allowed") || status=1
  done
  while read -r lock; do
    bad=$(cd "$(dirname "$lock")" && npm query '*' --package-lock-only 2>/dev/null | jq -r --arg allowed "$allowed" '
      .[] | select(.location != "") | .license //= "unknown"
        | select(.license | gsub("[()]"; "") | split(" OR ") | any(IN($allowed | split(",")[])) | not)
        | "\(.name) \(.version): the licence \(.license) is not allowed"') || status=1
    [[ -z $bad ]] || { echo "$lock: $bad" >&2; status=1; }
  done < <(git ls-files '*package-lock.json')
  return "$status"
}

# vulnerabilities looks for known vulnerabilities in the code that every module calls. Without the database it checks
# nothing, and fails on GitHub.
vulnerabilities() {
  local database module status=0
  database=$(go env GOVULNDB)
  database=${database:-https://vuln.go.dev}
  if ! curl --silent --fail --max-time 20 --output /dev/null "$database/index/db.json"; then
    echo "NOT CHECKED: the vulnerability database, $database, cannot be reached"
    [[ -z ${GITHUB_ACTIONS:-} ]]
    return
  fi
  for module in $(scripts/modules.sh); do
    (cd "$module" && "$bin/govulncheck" -db "$database" -test ./...) || status=1
  done
  return "$status"
}

# secrets searches every commit, and the files of the last one, because the history does not show changes of a merge.
secrets() {
  local tree flags=(--no-banner --log-level error --no-color --redact --verbose --config "$PWD/.gitleaks.toml")
  if [[ $(git rev-parse --is-shallow-repository) == true ]]; then
    echo "NOT SEARCHED: the commits that this shallow clone lacks"
    [[ -z ${GITHUB_ACTIONS:-} ]] || return 1
  fi
  "$bin/gitleaks" git "${flags[@]}" . || return 1
  tree=$(mktemp -d)
  git archive HEAD | tar -x -C "$tree"
  (cd "$tree" && "$bin/gitleaks" dir "${flags[@]}" .) || { rm -rf "$tree"; return 1; }
  rm -rf "$tree"
}

# workflows lints the workflows of GitHub, and fails for an action that is not pinned to a commit, because tags move.
workflows() {
  "$bin/actionlint" .github/workflows/*.yml || return 1
  ! grep -nE 'uses: ' .github/workflows/*.yml | grep -vE 'uses: [^ ]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+$'
}

# releases fails for a tag without an entry in the changelog, and for an incompatible change of the API since the last
# tag: before v1 if the changelog does not name it, from v1 on always.
releases() {
  local module prefix tag entry name work status=0
  for tag in $(git tag --merged HEAD --list 'v[0-9]*'); do
    entry=$(git show "$tag:CHANGELOG.md" | sed -n "/^## \[${tag#v}\] - [0-9-]*\$/,/^## \[/p")
    [[ -n $entry ]] || { echo "$tag: CHANGELOG.md of that commit has no entry \"## [${tag#v}] - DATE\"" >&2; status=1; }
    if [[ $tag != *.0 ]] && grep -q '^- \*\*Incompatible:\*\*' <<<"$entry"; then
      echo "$tag: a patch release may not be incompatible" >&2
      status=1
    fi
  done
  for module in . httpapi/oidcauth; do
    prefix=$([[ $module == . ]] || echo "$module/")
    tag=$(git tag --merged HEAD --list "${prefix}v[0-9]*" --sort=-version:refname | grep -E "^${prefix}v[0-9]+\.[0-9]+\.[0-9]+$" | head -1 || true)
    name=$(go -C "$module" list -m)
    [[ -n $tag ]] || { echo "$name: no release to compare with"; continue; }
    work=$(mktemp -d)
    git worktree add --quiet --force --detach "$work/old" "$tag" || return 1
    (cd "$work/old/$module" && "$bin/apidiff" -m -w "$work/old.api" "$name") || return 1
    git worktree remove --force "$work/old"
    (cd "$module" && "$bin/apidiff" -m -w "$work/new.api" "$name") || return 1
    "$bin/apidiff" -m -incompatible "$work/old.api" "$work/new.api" >"$work/incompatible" || return 1
    if [[ -s $work/incompatible ]]; then
      echo "$name: incompatible with $tag:"
      cat "$work/incompatible"
      if [[ $tag != "$prefix"v0.* ]] ||
        ! sed -n '/^## \[Unreleased\]/,/^## \[[0-9]/p' CHANGELOG.md | grep -q '^- \*\*Incompatible:\*\*'; then
        echo 'not allowed from v1 on; before, "Unreleased" in CHANGELOG.md needs a line that begins with "- **Incompatible:**"' >&2
        status=1
      fi
    fi
    rm -rf "$work"
  done
  return "$status"
}

status=0
for check in licences vulnerabilities secrets workflows releases; do
  echo "== $check"
  $check || { status=1; echo "== $check FAILED"; }
done
exit "$status"
