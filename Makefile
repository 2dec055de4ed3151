# `make` prints this help. Only Python (3.11 or newer) and make are needed.
PYTHON ?= python3
BIN := .venv/bin
INSTALL = @$(PYTHON) -m deploy.local.install

.DEFAULT_GOAL := help
.PHONY: help demo run new-agent rename test faults bench bench-tiny fuzz quotas check format format-check lint types imports docs lock \
	manifests screenshots deploy-base deploy-test release audit licences sbom upgrade clean install install-dev

help: ## Show this help
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: install ## Run the whole stack once: a text analysed, and the same as a PDF in var/demo
	@$(BIN)/python -m deploy.local.demo

run: install ## Keep the stack up (PORT and API_KEY are honoured); Ctrl-C stops it
	@$(BIN)/python -m deploy.local.run

new-agent: install ## Begin an agent of your own: make new-agent NAME=translate
	@$(BIN)/python -m deploy.local.new_agent "$(NAME)"

rename: install-dev ## Make the template your project: make rename NAME=yours
	@$(BIN)/python -m deploy.local.rename "$(NAME)" && $(MAKE) --no-print-directory format

# Three at a time, also on two cores: much of it is waiting. A file's tests stay together.
test: install-dev ## Run all tests
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

faults: install-dev ## Kill, freeze and cut off what can be, under load (FAULTS='--share 0.1' for a short run)
	@$(BIN)/python -m tests.faults $(FAULTS)

check: format-check lint types imports test ## What CI runs: format, lint, types, imports, tests

format: install-dev ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix-only --quiet .

format-check: install-dev
	@$(BIN)/ruff format --check .

lint: install-dev ## Look for mistakes
	@$(BIN)/ruff check .

types: install-dev ## Check the types
	@$(BIN)/mypy

imports: install-dev ## Check who imports whom
	@$(BIN)/lint-imports

docs: install-dev ## Write docs/settings.md and docs/metrics.md anew from the declarations
	@$(BIN)/python -m deploy.local.reference

screenshots: install-dev ## Take the pictures of the playground in docs/images anew (needs chromium)
	@$(BIN)/python -m tests.browser.screenshots

.PHONY: train-sample
train-sample: install-dev ## Make the sample model and its figures anew, in a few minutes (docs/sample-model.md)
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tasks.pipelines.sample.training

lock: install-dev ## Resolve the dependencies anew and pin them with hashes
	@$(BIN)/python -m deploy.local.lock

upgrade: install-dev ## The same with the newest versions of everything
	@$(BIN)/python -m deploy.local.lock --upgrade

bench: install-dev ## Measure Slipway beside its peers and the limit (NAME="inflight streams", ROUNDS=3)
	@$(BIN)/python -m benchmarks $(NAME) --rounds $(or $(ROUNDS),3)

bench-tiny: install-dev ## Run every benchmark once and small, without the peers: does it run at all?
	@$(BIN)/python -m benchmarks $(NAME) --tiny --no-peers --results var/bench-tiny

fuzz: install-dev ## Send 10,000 requests and more that nobody would think of
	@$(BIN)/python -m tests.fuzz

quotas: install-dev ## Let one principal take 10,000 jobs and 1,000 streams, with somebody else beside it
	@$(BIN)/python -m tests.quotas

# 3: nobody could look, which it has said.
audit: install-dev ## Look for known holes in what the locks name (needs the network; says so without)
	@$(BIN)/python -m deploy.local.audit || [ $$? = 3 ]

licences: install-dev ## List the licences of the runtime lock; one that is not expected is an error
	@$(BIN)/python -m deploy.local.licences

sbom: ## Write var/sbom.json: every package of the runtime lock with its hashes (CycloneDX)
	@$(PYTHON) -m deploy.local.sbom

manifests: install-dev ## Build and check the Kubernetes manifests
	@$(BIN)/python -m deploy.kubernetes.checks

# Any Debian 12; on a machine that reaches no registry, one of debootstrap (deploy/README.md).
CONTAINER_BASE ?= docker.io/library/debian:bookworm-slim

deploy-base: ## Make a base for the images where no registry can be reached (root, debootstrap, podman)
	@deploy/docker/base.sh localhost/slipway-base:bookworm

deploy-test: install-dev ## Build the images, run compose.yaml with podman, and kill its parts
	@REQUIRE_SYSTEM_PACKAGES=1 CONTAINER_BASE=$(CONTAINER_BASE) $(BIN)/python -m pytest -rP tests/deploy/containers

release: install-dev ## Make images, SBOM and pinned manifests of VERSION=1.2.3, for REGISTRY (deploy/README.md)
	@$(BIN)/python -m deploy.release "$(VERSION)"

clean: ## Remove what was installed and what was made
	rm -rf .venv var .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

install:
	$(INSTALL) requirements-local.txt

install-dev:
	$(INSTALL) requirements-dev.txt
