#!/usr/bin/env bash
# Installs the scanners of the Terraform into .cache/infra, and prints that folder:
# tfsec and tflint in the versions named here, checkov by scripts/python/checkov.txt.
set -euo pipefail
cd "$(dirname "$0")/../.."

tfsec=v1.26.0
tflint=v0.64.0

dir=$PWD/.cache/infra
wanted="tfsec $tfsec tflint $tflint"
if [[ "$(cat "$dir/versions" 2>/dev/null)" != "$wanted" ]]; then
  rm -rf "$dir"
  mkdir -p "$dir/bin"
  {
    echo "Installing $wanted into .cache/infra"
    GOBIN=$dir/bin GOFLAGS='' go install "github.com/aquasecurity/tfsec/cmd/tfsec@$tfsec"
    GOBIN=$dir/bin GOFLAGS='' go install "github.com/terraform-linters/tflint@$tflint"
  } >&2
  echo "$wanted" >"$dir/versions"
fi
python=$(scripts/venv.sh checkov)
ln -sf "$python/checkov" "$dir/bin/checkov"
echo "$dir/bin"
