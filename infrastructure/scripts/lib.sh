# Functions for the scripts beside this file, which source it.
# shellcheck shell=bash
shopt -s inherit_errexit

infra=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
repo=$(dirname "$infra")

# TERRAFORM may be a command with arguments.
read -ra terraform <<<"${TERRAFORM:-terraform}"
export TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1 AWS_EC2_METADATA_DISABLED=true

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

need() {
  local tool
  for tool; do
    command -v "$tool" >/dev/null || { echo "this needs $tool" >&2; return 1; }
  done
}

# copy prints a new copy of infrastructure/ without .terraform, lock file and state, so that a check neither finds nor
# leaves them.
copy() {
  local to
  to=$(mktemp -d "$tmp/copy.XXXXXX")/infrastructure
  mkdir "$to"
  tar -C "$infra" --exclude=.terraform --exclude=.terraform.lock.hcl --exclude='*.tfstate*' \
    --exclude=backend.tf --exclude=./sst --exclude='*.go' -cf - . | tar -C "$to" -xf -
  echo "$to"
}

# quietly runs a command and shows its output only if it fails.
quietly() {
  local log
  log=$(mktemp "$tmp/log.XXXXXX")
  "$@" >"$log" 2>&1 || { cat "$log" >&2; return 1; }
}

init() {
  quietly "${terraform[@]}" -chdir="$1" init -backend=false -input=false -no-color
}

# sources terraform|sst: prints the digests of the files from which Terraform plans, or SST synthesises. The tests compare
# them with those of the files that made .cache/plans.
sources() {
  local folder=. names=(-name '*.tf' -o -name '*.tfvars')
  if [[ $1 == sst ]]; then folder=./sst names=(-name '*.ts' -o -name '*.mjs' -o -name '*.json'); fi
  (cd "$infra" && find ./*.json "$folder" \( -name node_modules -o -name .sst -o -name .terraform -o -name backend.tf \) -prune \
    -o -type f \( "${names[@]}" -o -path "./*.json" ! -path "./*/*" \) -print | LC_ALL=C sort -u | xargs sha256sum)
}

# scanners installs tfsec and tflint in these versions, and checkov by scripts/python/checkov.txt, and prints their folder.
scanners() {
  local wanted="tfsec v1.26.0 tflint v0.64.0" dir=$repo/.cache/infra tfsec tflint
  read -r _ tfsec _ tflint <<<"$wanted"
  if [[ "$(cat "$dir/versions" 2>/dev/null)" != "$wanted" ]]; then
    rm -rf "$dir"
    mkdir -p "$dir/bin"
    echo "Installing $wanted into .cache/infra" >&2
    GOBIN=$dir/bin GOFLAGS='' go install "github.com/aquasecurity/tfsec/cmd/tfsec@$tfsec" >&2
    GOBIN=$dir/bin GOFLAGS='' go install "github.com/terraform-linters/tflint@$tflint" >&2
    echo "$wanted" >"$dir/versions"
  fi
  ln -sf "$("$repo/scripts/venv.sh" checkov)/checkov" "$dir/bin/checkov"
  echo "$dir/bin"
}
