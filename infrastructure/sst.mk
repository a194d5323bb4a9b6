# Targets of the deployment in SST; the Makefile includes this.

.PHONY: sst-check sst-synth sst-mutants sst-package

sst-check: ## install, type-check and synthesise infrastructure/sst, and compare it with the Terraform
	@infrastructure/scripts/sst.sh check

sst-synth: ## write what infrastructure/sst registers into docs/evidence/infra
	@infrastructure/scripts/sst.sh synth

sst-mutants: ## break infrastructure/sst in known ways and see each break found
	@infrastructure/scripts/sst_mutants.sh

sst-package: lambda ## build the function as SST takes it, from the same zip as Terraform
	@cd examples/lambda/dist && rm -rf arm64 && mkdir arm64 && unzip -q device-tokens-arm64.zip -d arm64
