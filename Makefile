# Every target does its own set-up: Python 3.11 or newer, make and a package index are all that a machine needs.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo up test check bench bench-store bench-quality soak fuzz lock clean

SHELL := /bin/sh
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
ARGS ?=
SECONDS ?= 300

# Tests spread over the cores, up to four. `make check` judges the coverage, which takes a third longer to measure:
# CI measures it while it tests.
PARALLEL := --numprocesses auto --maxprocesses 4 --dist worksteal
COVERAGE := --cov --cov-report= --cov-report=json:.coverage.json
MEASURED := $(shell find src tests -name '*.py' 2>/dev/null) pyproject.toml

help: ## Say what each target does (the default)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Acquire five real stocks from four simulated providers, then serve them; ARGS="--help" shows options
	@scripts/setup demo
	@$(BIN)/truetape demo $(ARGS)

up: ## Run on live providers with your configuration (`.venv/bin/truetape init` writes one)
	@scripts/setup demo
	@$(BIN)/truetape up $(ARGS)

test: ## Run every test; ARGS="-k name" chooses some
	@scripts/setup test
	@$(PYTEST) $(PARALLEL) $(if $(ARGS),$(ARGS),$(if $(CI)$(MEASURE),$(COVERAGE))) || { rm -f .coverage.json; exit 1; }

check: ## Format, lint, types, imports, architecture and coverage: what CI asks beside the tests
	@scripts/setup check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --cache-dir .import_linter_cache
	$(PYTEST) --quiet tests/test_architecture.py
	@$(MAKE) --no-print-directory .coverage.json
	$(BIN)/python scripts/coverage_gate.py .coverage.json

.coverage.json: $(MEASURED)
	@echo "The coverage of the present code is not known: running the tests."
	@$(MAKE) --no-print-directory test ARGS= MEASURE=1

bench: ## Measure speed beside peers in the same run; ARGS="reading start" chooses
	@scripts/setup bench
	@.venv-bench/bin/python -m perf $(ARGS)

bench-store: ## Measure how bars are stored and read, beside peers (15 minutes, 40 GB); ARGS="--bars 1000000" makes it short
	@scripts/setup bench
	@scripts/questdb || true
	@.venv-bench/bin/python -m perf.storing $(ARGS)

bench-quality: ## Measure how faults put into real series are found, beside peers; ARGS="--seeds 2" makes it short
	@scripts/setup bench
	@.venv-bench/bin/python -m perf.quality $(ARGS)

soak: ## Kill -9 at a thousand moments, then repeat the long tests for SECONDS=300
	@scripts/setup test
	@$(BIN)/python scripts/kill.py
	@$(BIN)/python scripts/repeat.py --seconds $(SECONDS) -m slow

fuzz: ## Try the property tests with ever new inputs for SECONDS=300
	@scripts/setup test
	@HYPOTHESIS_PROFILE=fuzz $(BIN)/python scripts/repeat.py --seconds $(SECONDS) -m hypothesis

lock: ## Resolve the dependencies anew (needs uv); ARGS="--upgrade" moves all of them
	@scripts/lock $(ARGS)

clean: ## Remove environments, caches and reports; data folders stay
	rm -rf .venv .venv-bench .venv-peers .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* build dist
	find src tests perf scripts -name __pycache__ -type d -prune -exec rm -rf {} +
