# chaoskit: `make run` plays the flagship scenario on a fresh machine, `make test` passes the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCENARIO ?= liquidation-cascade
PYTEST_FLAGS ?=
# Tests wait more than they compute: one more than there are cores.
TESTS_AT_ONCE ?= $(shell expr 1 + `nproc 2>/dev/null || echo 2`)

.DEFAULT_GOAL := help
.PHONY: help install install-dev run test check format bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  \1\t/' | expand -t 14

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.run

install: $(VENV)/.run ## set up chaoskit in .venv
install-dev: $(VENV)/.dev ## the same with the tools for tests and checks

run: install ## play SCENARIO (liquidation-cascade) as processes and write its report
	$(BIN)/chaoskit run $(SCENARIO) --driver process --no-gate

test: install-dev ## pass the tests: side by side, and then those that play a whole run, one after another
	$(BIN)/python -m pytest -m 'not benchmark and not e2e' --numprocesses=$(TESTS_AT_ONCE) --maxprocesses=8 --dist=loadgroup $(PYTEST_FLAGS)
	$(BIN)/python -m pytest -m e2e $(PYTEST_FLAGS)

check: install-dev ## formatting, lint, strict types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy chaoskit targets/common targets/exchange tests
	$(BIN)/lint-imports

format: install-dev ## format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install-dev ## measure against peers, alone on the machine
	$(BIN)/python -m pytest -m benchmark -s --timeout=600 tests/benchmarks

clean: ## remove what a killed run left behind, and the caches
	-@test -x $(BIN)/chaoskit && $(BIN)/chaoskit clean
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
