# Targets of the Terraform; the Makefile includes this.

# A command, with arguments if need be. The evidence needs one whose provider
# answers from its schema, without an account: see docs/infra/device-tokens.md.
TERRAFORM ?= terraform

.PHONY: infra-check infra-runbook infra-mutants evidence evidence-check

infra-check: ## check the Terraform: form, lint, tests, drift script
	@TERRAFORM='$(TERRAFORM)' infrastructure/scripts/check.sh

infra-runbook: ## run the runbook's commands against an emulator
	@infrastructure/scripts/runbook.sh

infra-mutants: ## break the Terraform in known ways and see each break found
	@TERRAFORM='$(TERRAFORM)' infrastructure/scripts/mutants.sh

evidence: ## plan and scan the Terraform into docs/evidence/infra
	@TERRAFORM='$(TERRAFORM)' infrastructure/scripts/evidence.sh

evidence-check: ## fail if docs/evidence/infra is stale, or a scan finds something
	@TERRAFORM='$(TERRAFORM)' infrastructure/scripts/evidence.sh --check
