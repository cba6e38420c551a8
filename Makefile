# Entry point for all tasks: every task is a target, and CI calls targets.

SHELL := /bin/bash -euo pipefail
.DEFAULT_GOAL := help

# One shared target directory, which stays warm across clean checkouts.
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/bedrock-batch/target
export LAMBDA_DIRECTORY ?= $(CURDIR)/.local/lambda
export BEDROCK_SIMULATOR_BIN ?= $(CARGO_TARGET_DIR)/debug/bedrock-simulator

# FUNCTIONS, from the contract.
include crates/contract/generated/functions.mk
VENV := .local/venv
PYTHON := $(VENV)/bin/python
TOOLS := $(CARGO_TARGET_DIR)/tools
CARGO_DENY := $(TOOLS)/cargo-deny-0.20.2
# The database of security advisories: a git repository, which cargo-deny fetches.
ADVISORIES := $(or $(CARGO_HOME),$(HOME)/.cargo)/advisory-dbs
CLI := $(CARGO_TARGET_DIR)/debug/bedrock-batch
# Files that are deployed with the functions, beside their binaries.
TEMPLATES := $(wildcard prompt-templates/*.toml) infra/model-overrides.toml
CONFIGS := $(filter-out %.schema.json,$(wildcard pipeline-configs/*.json))
ARCHITECTURE ?= x86_64

.PHONY: help
help: ## Print this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

# --- the two commands of the README ---

.PHONY: demo
demo: build ## Run 2,050 support tickets on the local stack, from a fresh machine to the answers
	@local/up
	@. .local/env && BEDROCK_BATCH=$(CLI) local/demo

.PHONY: demo-pipeline
demo-pipeline: build ## Run three stages over 105 generated pictures of clothing on the local stack
	@local/up
	@. .local/env && BEDROCK_BATCH=$(CLI) local/demo-pipeline

# One set of features for tests, programs and functions: crates with other features would be compiled once more.
.PHONY: test
test: BUILD_TARGETS := --all-targets
test: check-and-build test-programs e2e ## Run all checks: lints, unit, property and end-to-end tests

# Compilers often use one core only, for a large crate or a link: what needs no program of ours is checked beside them.
.PHONY: check-and-build
check-and-build:
	@$(call beside,$(MAKE) --no-print-directory check-python check-infra test-infra,.local/checks.log,\
		$(MAKE) --no-print-directory check-rust check-contract BUILD_TARGETS=$(BUILD_TARGETS))

# Some programs of tests have one long test, which leaves a core to others.
.PHONY: test-programs
test-programs:
	@$(call beside,$(MAKE) --no-print-directory test-simulator BUILD_TARGETS=$(BUILD_TARGETS),.local/simulator.log,\
		$(MAKE) --no-print-directory test-rust)

# Runs $(1) beside $(3). The output of $(1) comes at the end, in one piece, and is kept in $(2). Each must succeed.
define beside
mkdir -p .local; failed=0; \
( exec $(1) ) > $(2) 2>&1 & other=$$!; \
trap 'kill $$other 2>/dev/null || true; wait' EXIT; \
$(3) || failed=1; \
wait $$other || failed=1; \
cat $(2); exit $$failed
endef

# --- parts ---

.PHONY: setup
setup: $(VENV)/.ready infra/node_modules/.ready ## Install Python and Node packages, at the versions of the lock files

# Each file is compared with its hash before anything of it runs.
$(VENV)/.ready: local/requirements.lock
	@echo "== Python packages"
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

UV := $(TOOLS)/uv-0.13.9

.PHONY: python-lock
python-lock: ## Write local/requirements.lock after a change of local/requirements.txt
	python3 -m venv $(UV)
	$(UV)/bin/pip install --quiet --disable-pip-version-check uv==0.13.9
	@(sed '/^[^#]/,$$d' local/requirements.lock; $(UV)/bin/uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-header --no-emit-index-url --no-annotate local/requirements.txt) > local/.requirements.partial
	@mv local/.requirements.partial local/requirements.lock

infra/node_modules/.ready: infra/package-lock.json
	@echo "== Node packages"
	cd infra && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

BUILD_TARGETS := --bins

.PHONY: programs
programs:
	@echo "== Programs and functions"
	cargo build --locked --workspace $(BUILD_TARGETS)

.PHONY: build
build: setup programs ## Build programs and functions for local runs
	@for function in $(FUNCTIONS); do \
		mkdir -p $(LAMBDA_DIRECTORY)/$$function; \
		cmp -s $(CARGO_TARGET_DIR)/debug/$$function $(LAMBDA_DIRECTORY)/$$function/bootstrap \
			|| install -m 755 $(CARGO_TARGET_DIR)/debug/$$function $(LAMBDA_DIRECTORY)/$$function/bootstrap; \
	done
	@$(MAKE) --no-print-directory templates
	@mkdir -p .local/bin && ln -sf $(CLI) .local/bin/bedrock-batch

.PHONY: templates
templates: $(TEMPLATES) $(CONFIGS)
	@for function in preprocess validate classifier; do \
		rm -rf $(LAMBDA_DIRECTORY)/$$function/prompt-templates; \
		mkdir -p $(LAMBDA_DIRECTORY)/$$function/prompt-templates; \
		cp prompt-templates/*.toml $(LAMBDA_DIRECTORY)/$$function/prompt-templates/; \
		cp infra/model-overrides.toml $(LAMBDA_DIRECTORY)/$$function/; \
	done
	@rm -rf $(LAMBDA_DIRECTORY)/trigger/pipeline-configs
	@mkdir -p $(LAMBDA_DIRECTORY)/trigger/pipeline-configs
	@for config in $(CONFIGS); do cp $$config $(LAMBDA_DIRECTORY)/trigger/pipeline-configs/; done

.PHONY: local-up
local-up: build ## Start the local stack and write .local/env
	@local/up

.PHONY: local-down
local-down: ## Stop the local stack
	@local/down

.PHONY: check
check: check-rust check-contract check-python check-infra ## Check formatting, lints, types, licences, the contract and the template

.PHONY: check-rust
check-rust:
	@echo "== Rust: format, circles of modules, lints, the domain's fence, licences"
	cargo fmt --all --check
	python3 tests/docs/module_circles.py
	cargo clippy --locked --workspace --all-targets -- -D warnings
	python3 tests/docs/domain_fence.py
	@$(MAKE) --no-print-directory licences

# One of the programs: `cargo run` would select other features of dependencies and compile them once more.
CONTRACT := $(CARGO_TARGET_DIR)/debug/contract

.PHONY: contract
contract: programs ## Write the names that Rust shares with the CDK app, this Makefile and Python
	$(CONTRACT) write

.PHONY: models-page
models-page: programs ## Write docs/models.md, the page of all model ids, from the table
	$(CARGO_TARGET_DIR)/debug/bedrock-batch models > docs/models.md

.PHONY: check-contract
check-contract: programs
	@echo "== Contract: the written files against the names in Rust"
	$(CONTRACT) check

# The fuzz targets are a workspace of their own, with dependencies of their own.
MANIFESTS := Cargo.toml fuzz/Cargo.toml

.PHONY: licences
licences: $(CARGO_DENY)
	@for manifest in $(MANIFESTS); do \
		$(CARGO_DENY) --manifest-path $$manifest --config deny.toml --locked check licenses bans sources; \
	done
	@timeout 60 $(CARGO_DENY) fetch db >/dev/null 2>&1 || true
	@if ls -d $(ADVISORIES)/*/.git >/dev/null 2>&1; then \
		for manifest in $(MANIFESTS); do \
			$(CARGO_DENY) --manifest-path $$manifest --config deny.toml --locked --offline check advisories; \
		done; \
	elif [ -n "$(ADVISORIES_REQUIRED)" ]; then \
		echo "advisories NOT checked: no database in $(ADVISORIES), and none could be fetched" >&2; \
		exit 1; \
	else \
		echo "advisories NOT checked: no database in $(ADVISORIES), and none could be fetched." \
			"Where the network allows it, run: make audit"; \
	fi

.PHONY: audit
audit: setup ## Check all dependencies for security advisories; fails where their databases cannot be reached
	$(MAKE) --no-print-directory licences ADVISORIES_REQUIRED=1
	cd infra && npm audit --audit-level=high

SBOM ?= .local/sbom.cdx.json

.PHONY: sbom
sbom: setup crates ## List all dependencies with versions, licences and hashes: CycloneDX, in .local/sbom.cdx.json (SBOM=…)
	$(PYTHON) supply_chain/sbom.py --out $(SBOM)

$(CARGO_DENY):
	@echo "== cargo-deny"
	CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug cargo-deny@0.20.2 --root $(TOOLS) --target-dir $(TOOLS)/target
	@mkdir -p $(dir $@) && mv $(TOOLS)/bin/cargo-deny $@ && rm -rf $(TOOLS)/target

PYTHON_ROOTS := bench deployment local supply_chain tests/docs tests/e2e tests/fixtures tests/simulator tests/soak

# Each folder is a root of its own, since several have a module of the same name, such as `conftest`.
.PHONY: check-python
check-python: setup
	@echo "== Python: format, lints, types"
	$(VENV)/bin/ruff format --quiet --check --cache-dir .local/ruff .
	$(VENV)/bin/ruff check --quiet --cache-dir .local/ruff .
	@for root in $(PYTHON_ROOTS); do \
		(cd $$root && $(CURDIR)/$(VENV)/bin/mypy --no-error-summary --config-file $(CURDIR)/pyproject.toml \
			--cache-dir $(CURDIR)/.local/mypy/$$root .); \
	done

.PHONY: check-infra
check-infra: setup
	@echo "== Infrastructure: format, lints, types, cfn-lint, cfn-guard"
	cd infra && npm run --silent lint
	cd infra && npm run --silent synth:check

# Property tests draw the same cases each time here, so that a change decides whether they pass, not luck.
PROPTEST_RNG_SEED ?= 1

.PHONY: test-rust
test-rust: setup
	PROPTEST_RNG_SEED=$(PROPTEST_RNG_SEED) cargo test --locked --workspace

.PHONY: properties
properties: ## Run the tests with property cases that are new each time; proptest saves a failing one
	env -u PROPTEST_RNG_SEED cargo test --locked --workspace

# The bill of materials is made of crates that are here, those of the fuzz targets included.
.PHONY: crates
crates:
	@for manifest in $(MANIFESTS); do cargo fetch --locked --quiet --manifest-path $$manifest; done

.PHONY: test-infra
test-infra: setup crates
	cd infra && npm test --silent
	cd local && $(CURDIR)/$(PYTHON) -m pytest -q
	$(PYTHON) -m pytest -q supply_chain
	$(PYTHON) -m pytest -q deployment
	$(PYTHON) -m pytest -q tests/docs

.PHONY: test-simulator
test-simulator: build
	$(PYTHON) -m pytest -q tests/simulator

.PHONY: e2e
e2e: build ## Run the end-to-end scenarios on three local stacks of their own
	@$(call beside,$(MAKE) --no-print-directory -j2 --output-sync=target e2e-alone-1 e2e-alone-2,.local/e2e-alone.log,\
		$(PYTHON) -m pytest -q tests/e2e --part=together)
	@$(MAKE) --no-print-directory check-rights

SESSIONS := e2e e2e-alone-1 e2e-alone-2

# What the functions and state machines of the last `make e2e` asked of AWS, against the policies of the template.
.PHONY: check-rights
check-rights: setup
	@echo "== Rights: the calls of the end-to-end tests against the policies"
	cd infra && npx --no-install tsx checks/rights.ts $(SESSIONS:%=$(CURDIR)/.local/%/record.json)

# They mostly wait: for limits on time, for functions that were killed, for jobs that are slow on purpose.
# One of the stacks has a stage, so that nothing relies on the names of a deployment without one.
STAGE_OF_e2e-alone-2 := dev
.PHONY: e2e-alone-1 e2e-alone-2
e2e-alone-1 e2e-alone-2:
	@E2E_STATE_DIR=.local/$@ LOCAL_STAGE=$(STAGE_OF_$@) $(PYTHON) -m pytest -q tests/e2e --part=$(@:e2e-%=%)

.PHONY: bench
bench: setup ## Compare with the pandas + boto3 baseline (release build; takes minutes)
	cargo build --locked --release --workspace --bins
	$(PYTHON) bench/compare.py

BENCH_LAMBDAS := $(CURDIR)/.local/bench/lambda

.PHONY: bench-pipeline
bench-pipeline: setup ## Time a pipeline of three stages over 100,000 rows outside the model (release build)
	cargo build --locked --release --workspace --bins
	@for function in $(FUNCTIONS); do \
		install -D -m 755 $(CARGO_TARGET_DIR)/release/$$function $(BENCH_LAMBDAS)/$$function/bootstrap; \
	done
	@$(MAKE) --no-print-directory templates LAMBDA_DIRECTORY=$(BENCH_LAMBDAS)
	LAMBDA_DIRECTORY=$(BENCH_LAMBDAS) BEDROCK_SIMULATOR_BIN=$(CARGO_TARGET_DIR)/release/bedrock-simulator \
		LOCAL_VENV=$(CURDIR)/$(VENV) $(PYTHON) bench/pipeline.py

.PHONY: costs
costs: setup ## Compute what a run of 1,000 jobs costs besides its models, from what a local run is billed for (release build)
	cargo build --locked --release --workspace --bins
	@for function in $(FUNCTIONS); do \
		install -D -m 755 $(CARGO_TARGET_DIR)/release/$$function $(BENCH_LAMBDAS)/$$function/bootstrap; \
	done
	@$(MAKE) --no-print-directory templates LAMBDA_DIRECTORY=$(BENCH_LAMBDAS)
	LAMBDA_DIRECTORY=$(BENCH_LAMBDAS) BEDROCK_SIMULATOR_BIN=$(CARGO_TARGET_DIR)/release/bedrock-simulator \
		LOCAL_VENV=$(CURDIR)/$(VENV) $(PYTHON) bench/costs.py

FUZZ_SECONDS ?= 60
FUZZ_TARGETS := answer template image csv jsonl parquet request pipeline event token jsonpath text
# Maximum size of an input in bytes: short ones take less time, but longer files of the corpus would be cut off.
FUZZ_MAX_BYTES ?= 512
$(foreach target,csv jsonpath token,$(eval FUZZ_MAX_BYTES_$(target) := 256))
$(foreach target,request event,$(eval FUZZ_MAX_BYTES_$(target) := 1024))
FUZZ_MAX_BYTES_template := 2048
FUZZ_MAX_BYTES_parquet := 4096
FUZZ_MAX_BYTES_pipeline := 4096
FUZZ_HOST = $(shell rustc -vV | sed -n 's/^host: //p')
FUZZ_BUILD := cargo build --locked --release --manifest-path fuzz/Cargo.toml --target-dir $(CARGO_TARGET_DIR)/fuzz
# Coverage counters, which guide the search for new inputs; stable compilers can insert them too.
FUZZ_FLAGS := --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares

.PHONY: fuzz
fuzz: ## Look for panics in all that reads what others wrote, FUZZ_SECONDS (60) per target
	RUSTFLAGS="$(FUZZ_FLAGS)" $(FUZZ_BUILD) --target $(FUZZ_HOST)
	@$(foreach target,$(FUZZ_TARGETS),echo "== $(target)"; mkdir -p .local/fuzz/$(target); \
		$(CARGO_TARGET_DIR)/fuzz/$(FUZZ_HOST)/release/$(target) .local/fuzz/$(target) fuzz/corpus/$(target) \
			-max_total_time=$(FUZZ_SECONDS) -max_len=$(or $(FUZZ_MAX_BYTES_$(target)),$(FUZZ_MAX_BYTES)) -timeout=10 \
			-artifact_prefix=.local/fuzz/$(target)- -print_final_stats=1 -verbosity=0;)

.PHONY: soak
soak: build properties ## Run under random faults for SOAK_SECONDS (3600); SOAK_SEED repeats one run
	$(PYTHON) tests/soak/soak.py

# --- a real account ---

.PHONY: lambdas
lambdas: setup ## Build the functions for AWS in release mode (ARCHITECTURE=x86_64 or arm64)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo lambda build --locked --release \
		$(if $(filter arm64,$(ARCHITECTURE)),--arm64,--x86-64) $(addprefix -p ,$(FUNCTIONS))
	@$(MAKE) --no-print-directory templates LAMBDA_DIRECTORY=$(CARGO_TARGET_DIR)/lambda

# Both show the account, the region and the stack, and ask before anything changes (YES=1 answers).
.PHONY: deploy
deploy: setup ## Build and deploy to the AWS account of your credentials (STAGE=dev, CDK_OPTIONS="-c key=value …", YES=1)
	@$(PYTHON) deployment/deploy.py --stage "$(STAGE)" --yes "$(YES)" -- $(CDK_OPTIONS)
	@$(MAKE) --no-print-directory lambdas
	cd infra && npx cdk deploy --require-approval $(if $(YES),never,broadening) $(if $(STAGE),-c stage=$(STAGE)) \
		-c lambdaDirectory=$(CARGO_TARGET_DIR)/lambda -c lambdaArchitecture=$(ARCHITECTURE) $(CDK_OPTIONS)

.PHONY: destroy
destroy: setup ## Delete a deployment (STAGE=dev, YES=1) but for its data, and say what stays
	@$(PYTHON) deployment/destroy.py --stage "$(STAGE)" --yes "$(YES)" -- $(CDK_OPTIONS)

.PHONY: format
format: setup ## Format everything
	cargo fmt --all
	$(VENV)/bin/ruff format --quiet .
	cd infra && npm run --silent format

.PHONY: clean
clean: local-down ## Stop the local stack and remove all generated files
	rm -rf .local infra/node_modules infra/cdk.out
