# What a developer runs. `make help` lists it; CI runs the same through .ci/run.

# Flags for go test, for example GOTESTFLAGS='-run TestRegister -count=1'.
GOTESTFLAGS ?=
# How long `make fuzz` runs each target.
FUZZTIME ?= 10s

# How often `make bench` runs each benchmark, and flags of go test for it.
BENCHROUNDS ?= 6
BENCHFLAGS ?=

# How many schedules `make long` plays, how long `make soak` has misbehaving clients, and how many examples of each
# operation `make schemathesis` makes.
SCHEDULES ?= 1000
SOAK ?= 10s
EXAMPLES ?= 100

# Terraform for the targets below, with arguments if need be. The evidence needs one whose provider answers from its
# schema, without an account.
export TERRAFORM ?= terraform

BIN := $(CURDIR)/.cache/bin

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help test prerequisites dynamodb-local dynamodb-local-stop postgres postgres-stop mobile mobile-types lint fuzz ablation long soak cover schemathesis bench bench-notify supply run lambda clean tools all-tools infra-check infra-runbook infra-mutants evidence evidence-check sst-check sst-synth sst-package

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-16s %s\n", $$1, $$2 }'

test: prerequisites tools dynamodb-local postgres mobile ## run the tests of every module with the race detector
	@rm -rf .cache/test && mkdir -p .cache/test
	@$(BIN)/gotestsum --format pkgname --format-hide-empty-pkg --jsonfile-timing-events .cache/test/events.json --jsonfile .cache/test/output.json \
		--raw-command -- scripts/test.sh $(GOTESTFLAGS)
	@go test ./internal/leak -run '^TestPrinted$$' -count=1 -v -args -printed $(CURDIR)/.cache/test/output.json

prerequisites: ## list the missing prerequisites of `make test`
	@scripts/prerequisites.sh

dynamodb-local: ## fetch DynamoDB Local, for the tests, into .cache
	@scripts/engine.sh dynamodb-local

dynamodb-local-stop: ## stop the DynamoDB Local of the tests, which otherwise stops after five minutes without a test
	@rm -f .cache/dynamodb-local/used

postgres: ## fetch PostgreSQL, for the tests, into .cache
	@scripts/engine.sh postgres

postgres-stop: ## stop the PostgreSQL of the tests, which otherwise stops after five minutes without a test
	@rm -f .cache/postgres/used

mobile: ## install the npm packages for the tests of examples/mobile
	@scripts/mobile.sh

mobile-types: ## check the types of examples/mobile against the packages of Expo (a large download)
	@scripts/mobile.sh examples/mobile/expo
	@cd examples/mobile/expo && node_modules/.bin/tsc --project tsconfig.json && echo "the types suit expo-notifications $$(node -p "require('expo-notifications/package.json').version")"

lint: tools ## vet, staticcheck, revive, gofmt, and whether each go.mod is tidy
	@scripts/lint.sh

fuzz: ## run every fuzz target for FUZZTIME (10s)
	@scripts/fuzz.sh $(FUZZTIME)

ablation: dynamodb-local ## remove each rule of dynamostore in turn; a test must fail
	@go test -tags=ablation -count=1 -timeout=30m -v -run '^TestRules$$' ./internal/interleave

# Each takes a new seed, which a failure names.
long: dynamodb-local postgres ## run SCHEDULES (1000) random schedules, and the other random checks of the stores for as long
	@go test ./internal/interleave -run '^TestSchedules$$' -count=1 -v -timeout 1h -interleave.seed=$$(date +%s) -interleave.schedules=$(SCHEDULES)
	@go test ./internal/sidebyside -run '^TestSideBySide$$' -count=1 -v -timeout 1h -rapid.checks=$$(($(SCHEDULES) / 10)) -rapid.steps=60
	@go test ./dynamostore -run '^Test(Store|Versions|Faults|CorruptRows)$$' -count=1 -v -timeout 1h -args -long
	@go -C internal/sqlengines test -run '^Test(Store|SideBySide|KilledProgram|KilledServer)$$' -count=1 -timeout 1h -rapid.checks=$$(($(SCHEDULES) / 2)) -rapid.steps=60 -args -long
	@go -C internal/sqlengines test ./linearizability -run '^Test(DynamoDBLocal|SQL)$$' -count=1 -v -timeout 1h -args -seed=$$(date +%s) -histories=$$(($(SCHEDULES) / 5))

soak: ## run examples/local under load and with misbehaving clients, for SOAK (10s) plus its timeouts
	@go -C examples test -tags soak ./local -run '^Test(Soak|BadClients)' -count=1 -timeout 1h -args -soak $(SOAK)

cover: ## fail if the tests cover too little of a core package
	@scripts/cover.sh

schemathesis: ## test the HTTP API from outside against its OpenAPI document, with a tool from PyPI
	@bin=$$(scripts/venv.sh schemathesis) && go -C internal/openapi test -tags schemathesis -run '^TestSchemathesis$$' -count=1 -timeout=30m -v . \
		-args -schemathesis "$$bin/schemathesis" -examples $(EXAMPLES)

bench: dynamodb-local postgres ## compare each part with the obvious alternatives, BENCHROUNDS (6) times, as docs/benchmarks.md shows
	@scripts/bench.sh $(BENCHROUNDS) $(BENCHFLAGS)

bench-notify: ## notify a million users of a fake Expo with examples/notify, with kills, and 20,000 at the rate limit of Expo; ten minutes
	@go -C examples test -tags measure ./notify -run '^TestMeasured$$' -count=1 -v -timeout 60m

supply: all-tools ## licences, known vulnerabilities, secrets in the history, the workflows, and the API since the last release
	@scripts/supply.sh

run: ## run the example server, which keeps its data in examples/device-tokens.db
	@go -C examples run ./local

lambda: ## build the Lambda function into examples/lambda/dist, for arm64 and amd64
	@go -C examples run ./lambda/pack

clean: ## remove all fetched and built files
	rm -rf .cache examples/mobile/node_modules examples/mobile/dist examples/mobile/expo/node_modules infrastructure/sst/node_modules infrastructure/sst/.sst

# Always run: with nothing to do they take half a second, and they also notice a new Go.
tools:
	@GOBIN=$(BIN) go -C internal/tools install github.com/mgechev/revive gotest.tools/gotestsum honnef.co/go/tools/cmd/staticcheck

all-tools:
	@GOBIN=$(BIN) go -C internal/tools install tool

infra-check: ## check the Terraform: form, lint, tests, drift script
	@infrastructure/scripts/check.sh

infra-runbook: ## run the runbook's commands against an emulator
	@infrastructure/scripts/runbook.sh

infra-mutants: ## break the Terraform and the SST in known ways; a check must find each break
	@infrastructure/scripts/mutants.sh

evidence: ## plan and scan the Terraform into docs/evidence/infra
	@infrastructure/scripts/evidence.sh

evidence-check: ## plan every stage into .cache/plans, test the plans, and fail if docs/evidence/infra is stale
	@infrastructure/scripts/evidence.sh --check

sst-check: ## check types and resources of infrastructure/sst, and compare it with the plans in .cache/plans
	@infrastructure/scripts/sst.sh check

sst-synth: ## write the summary of infrastructure/sst into docs/evidence/infra
	@infrastructure/scripts/sst.sh synth

sst-package: lambda ## build the function as SST takes it, from Terraform's zip
	@cd examples/lambda/dist && rm -rf arm64 && mkdir arm64 && unzip -q device-tokens-arm64.zip -d arm64
