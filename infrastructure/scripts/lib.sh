# What the scripts beside this file share; sourced by them.
# shellcheck shell=bash
shopt -s inherit_errexit

infra=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
repo=$(dirname "$infra")

# TERRAFORM may be a command with arguments.
read -ra terraform <<<"${TERRAFORM:-terraform}"
export TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1

# Nothing is asked of AWS without credentials, and what is planned here asks for
# nothing but who the caller is.
export AWS_EC2_METADATA_DISABLED=true

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

need() {
  local tool
  for tool; do
    command -v "$tool" >/dev/null || { echo "this needs $tool" >&2; return 1; }
  done
}

# copy prints a fresh copy of infrastructure/, so that no check leaves a
# .terraform, a lock file or a state behind, or finds one.
copy() {
  local to
  to=$(mktemp -d "$tmp/copy.XXXXXX")/infrastructure
  mkdir "$to"
  tar -C "$infra" --exclude=.terraform --exclude=.terraform.lock.hcl --exclude='*.tfstate*' \
    --exclude=backend.tf --exclude=./sst --exclude='*.go' -cf - . | tar -C "$to" -xf -
  echo "$to"
}

# quietly runs a command and shows what it said only if it failed.
quietly() {
  local log
  log=$(mktemp "$tmp/log.XXXXXX")
  "$@" >"$log" 2>&1 || { cat "$log" >&2; return 1; }
}

init() {
  quietly "${terraform[@]}" -chdir="$1" init -backend=false -input=false -no-color
}

# sources terraform|sst: the digest of each file that a plan, or a synthesis, is made
# from. The tests compare it with the files that they find.
sources() {
  local folder=. names=(-name '*.tf' -o -name '*.tfvars')
  if [[ $1 == sst ]]; then folder=./sst names=(-name '*.ts' -o -name '*.mjs' -o -name '*.json'); fi
  (cd "$infra" && find ./limits.json "$folder" \( -name node_modules -o -name .sst -o -name .terraform -o -name backend.tf \) -prune \
    -o -type f \( "${names[@]}" -o -name limits.json \) -print | LC_ALL=C sort -u | xargs sha256sum)
}
