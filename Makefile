# All that is done with this project, by name. `make` alone explains.
#
# Needs python3 (3.11 or newer), make, git and bash; everything else is installed into .venv and .envs from the hashed
# locks in requirements/. Targets that install leave a stamp, so that a second call is instant.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
# A working uv on the PATH is used; else the locked one is installed into .venv first (the only thing pip installs).
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo $(BIN)/uv)
SOURCES := proxy adapters
CHECKED := $(wildcard proxy adapters tests bench config)
# Tests that start servers or measure memory share two cores well; more workers than that only contend.
JOBS ?= auto

##@ Every day
.PHONY: help
help: ## this text
	@awk 'BEGIN { FS = ":.*## "; print "make TARGET, where TARGET is one of" } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: .venv/.installed ## install what development needs into .venv (first time some seconds, then instant)
	@:

.PHONY: test
test: setup servers ## the whole suite in parallel, with branch coverage and its floor (first installs the real servers)
	$(BIN)/pytest -n $(JOBS) --dist loadgroup --cov --cov-report=term $(ARGS)

.PHONY: quick
quick: setup ## the tests that need no real servers and take no more than seconds: make quick ARGS=tests/unit/wire
	$(BIN)/pytest -n $(JOBS) --dist loadgroup -m 'not slow and not real' $(ARGS)

.PHONY: lint
lint: setup ## style, format, types, and which room may import which
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: setup ## rewrite the sources in the project's format
	$(BIN)/ruff check --fix-only $(CHECKED)
	$(BIN)/ruff format $(CHECKED)

##@ Real servers
.PHONY: servers
servers: $(patsubst requirements/%.txt,.envs/%/.installed,$(wildcard requirements/mlserver.txt requirements/openai.txt requirements/flagd-*.txt)) ## install the model servers that tests and demo start, and flag engines

##@ The demo
.PHONY: demo
demo: setup .envs/mlserver/.installed ## two real model servers, the sidecar, an old and a new client; KEEP=1 leaves it all up
	@$(BIN)/python -m config.churn.demo $(if $(KEEP),--keep)

.PHONY: demo-canary
demo-canary: setup ## three rollouts of a recommendation model that end by themselves, in a few minutes; ARGS=dull plays one
	@$(BIN)/python -m config.canary.demo $(ARGS)

.PHONY: demo-llm
demo-llm: setup .envs/openai/.installed ## two real servers of a language model, an old client's streams, a shadow; skips without the server
	@$(BIN)/python -m config.llm.demo

.PHONY: compose-test
compose-test: setup ## the demo as containers, where a Docker engine is at hand
	@config/churn/docker/compose-test

##@ Now and then
.PHONY: build
build: setup ## wheel and sdist into dist/
	rm -rf dist
	$(BIN)/hatchling build

.PHONY: bench
bench: setup .envs/envoy/.installed ## all benchmarks; WRITE=1 puts them into docs/performance.md; ARGS: of the proxies only
	$(BIN)/python -m bench $(if $(WRITE),--write) $(ARGS)
	$(if $(ARGS),,@$(MAKE) bench-adapters bench-streams bench-decisions bench-shadows)

.PHONY: bench-adapters
bench-adapters: setup .envs/expressions/.installed ## what adapters and check cost, in less than a minute; WRITE=1 as above
	$(BIN)/python -m bench.adapters $(if $(WRITE),--write) $(ARGS)

.PHONY: bench-decisions
bench-decisions: setup ## what choosing a version costs by itself, in less than a minute; WRITE=1 as above
	$(BIN)/python -m bench.decisions $(if $(WRITE),--write) $(ARGS)

.PHONY: bench-shadows
bench-shadows: setup ## latency beside shadows of every kind, in half an hour; WRITE=1 as above
	$(BIN)/python -m bench.shadows $(if $(WRITE),--write) $(ARGS)

.PHONY: bench-streams
bench-streams: setup ## streams through a running sidecar: what an event costs and how late it is, in a minute; WRITE=1 as above
	$(BIN)/python -m bench.streams $(if $(WRITE),--write) $(ARGS)

.PHONY: rollout-simulation
rollout-simulation: setup ## what rollouts promise, simulated with LONGER (10) times as many rollouts, some minutes
	STEPDOWN_LONGER=$(or $(LONGER),10) $(BIN)/pytest -n $(JOBS) -rP tests/property/rollout/test_promises.py tests/property/rollout/test_traps.py $(ARGS)

.PHONY: proof-search
proof-search: setup ## documents that refute what adapters prove, searched for LONGER (10) times as long, some minutes
	STEPDOWN_LONGER=$(or $(LONGER),10) $(BIN)/pytest -n $(JOBS) tests/property/adapters/test_effects.py \
	  tests/property/adapters/test_contradictions.py tests/property/adapters/test_grading.py $(ARGS)

.PHONY: lock
lock: ## resolve all dependencies anew and write requirements/*.txt with hashes
	$(LOCK) --group uv --output-file requirements/uv.txt
	$(LOCK) pyproject.toml --all-extras --output-file requirements/runtime.txt
	$(LOCK) pyproject.toml --all-extras --group test --output-file requirements/test.txt
	$(LOCK) --group openai --output-file requirements/openai.txt
	$(LOCK) --group envoy --output-file requirements/envoy.txt
	$(LOCK) --group expressions --output-file requirements/expressions.txt
	for generation in 1 2 3; do $(LOCK) --group flagd-$$generation --output-file requirements/flagd-$$generation.txt; done
	$(LOCK) requirements/mlserver.in --output-file requirements/mlserver.txt

# Universal: one lock for all supported Pythons and platforms.
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
       --no-annotate --upgrade

.PHONY: clean
clean: ## remove what was built and cached (keeps .venv and .envs)
	rm -rf dist build .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find $(CHECKED) -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## remove the environments too
	rm -rf .venv .envs

# --- how environments are made --------------------------------------------------------------------------------------

.venv/.installed: requirements/test.txt requirements/uv.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { \
	  echo "make: $(PYTHON) cannot make environments; it needs Python 3.11+ with venv (Debian: python3-venv)" >&2; exit 1; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: Python 3.11 or newer is needed; name one with PYTHON=" >&2; exit 1; }
	@test $(UV) = uv || $(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/test.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# Programs that tests, demo or benchmark start, each in an environment of its own: requirements/NAME.txt -> .envs/NAME.
.envs/%/.installed: requirements/%.txt | setup
	@rm -rf .envs/$*
	$(UV) venv --quiet --python $(BIN)/python .envs/$*
	$(UV) pip install --quiet --python .envs/$*/bin/python --require-hashes -r requirements/$*.txt
	@touch $@
