#!/usr/bin/env bash
# Installs the scanners of the Terraform, in the versions named here and nowhere
# else, into .cache/infra, and prints that folder. What is there is left alone.
# With the argument "runbook": the AWS CLI and an emulator, for runbook.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."

checkov=3.3.30
tfsec=v1.26.0
tflint=v0.64.0
moto=5.2.1
awscli=1.45.11

if [[ "${1:-}" == runbook ]]; then
  dir=$PWD/.cache/infra-runbook
  wanted="moto $moto awscli $awscli"
  if [[ "$(cat "$dir/versions" 2>/dev/null)" != "$wanted" ]]; then
    echo "Installing $wanted into .cache/infra-runbook" >&2
    rm -rf "$dir"
    python3 -m venv "$dir" >&2
    "$dir/bin/pip" install --quiet --disable-pip-version-check "moto[server]==$moto" "awscli==$awscli" >&2
    echo "$wanted" >"$dir/versions"
  fi
  echo "$dir/bin"
  exit
fi

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
