#!/usr/bin/env bash
# Installs the scanners of the Terraform, in the versions named here and nowhere
# else, into .cache/infra, and prints that folder. What is there is left alone.
set -euo pipefail
cd "$(dirname "$0")/../.."

checkov=3.3.30
tfsec=v1.26.0
tflint=v0.64.0

dir=$PWD/.cache/infra
wanted="checkov $checkov tfsec $tfsec tflint $tflint"
if [[ "$(cat "$dir/versions" 2>/dev/null)" != "$wanted" ]]; then
  rm -rf "$dir"
  mkdir -p "$dir/bin"
  {
    echo "Installing $wanted into .cache/infra"
    GOBIN=$dir/bin GOFLAGS='' go install "github.com/aquasecurity/tfsec/cmd/tfsec@$tfsec"
    GOBIN=$dir/bin GOFLAGS='' go install "github.com/terraform-linters/tflint@$tflint"
    python3 -m venv "$dir/venv"
    "$dir/venv/bin/pip" install --quiet --disable-pip-version-check "checkov==$checkov"
    ln -s ../venv/bin/checkov "$dir/bin/checkov"
  } >&2
  echo "$wanted" >"$dir/versions"
fi
echo "$dir/bin"
