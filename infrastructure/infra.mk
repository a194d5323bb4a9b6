# Targets of infrastructure/; the Makefile includes this.

# A command, with arguments if need be. The evidence needs one whose provider
# answers from its schema, without an account: see docs/infra/device-tokens.md.
TERRAFORM ?= terraform

.PHONY: infra-check infra-runbook infra-mutants evidence evidence-check sst-check sst-synth sst-mutants sst-package

infra-check: ## check the Terraform: form, lint, tests, drift script
	@TERRAFORM='$(TERRAFORM)' infrastructure/scripts/check.sh

infra-runbook: ## run the runbook's commands against an emulator
	@infrastructure/scripts/runbook.sh

infra-mutants: ## break the Terraform in known ways and see each break found
	@TERRAFORM='$(TERRAFORM)' infrastructure/scripts/mutants.sh

evidence: ## plan and scan the Terraform into docs/evidence/infra
	@TERRAFORM='$(TERRAFORM)' infrastructure/scripts/evidence.sh

evidence-check: ## plan every stage into .cache/plans, test the plans, and fail if docs/evidence/infra is stale
	@TERRAFORM='$(TERRAFORM)' infrastructure/scripts/evidence.sh --check

sst-check: ## install, type-check and synthesise infrastructure/sst, and compare it with the plans in .cache/plans
	@infrastructure/scripts/sst.sh check

sst-synth: ## synthesise infrastructure/sst and write the summary into docs/evidence/infra
	@infrastructure/scripts/sst.sh synth

sst-mutants: ## break infrastructure/sst in known ways and see each break found
	@infrastructure/scripts/sst_mutants.sh

sst-package: lambda ## build the function as SST takes it, from the same zip as Terraform
	@cd examples/lambda/dist && rm -rf arm64 && mkdir arm64 && unzip -q device-tokens-arm64.zip -d arm64
