# Python ≥ 3.11 with venv, and make, are all this assumes. `make run` and `make test` set everything else up.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test test-deep bench check format system-packages clean

VENV := .venv
BIN := $(VENV)/bin
CLIENT := survey_app/client
BUILT := survey_app/static/build/manifest.json
PORT ?= 8000

help:  ## what can be asked for
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/'

run: $(VENV)/runtime.stamp $(BUILT)  ## start the demonstration on http://127.0.0.1:$(PORT)
	@$(BIN)/survey-app demo --port $(PORT)

test: $(VENV)/development.stamp $(CLIENT)/node_modules/.stamp $(BUILT) system-packages check  ## everything: linters, types, contracts, all tests
	cd $(CLIENT) && $(abspath $(BIN))/python $(abspath hatch_build.py) npm test
	$(BIN)/pytest -n 2 --dist loadgroup -m "not deep"

test-deep: $(VENV)/development.stamp $(CLIENT)/node_modules/.stamp $(BUILT) system-packages  ## the long campaigns, into docs/fault-ledger.md (SEED=… for another schedule)
	cd $(CLIENT) && SCHEDULES=3000 $(abspath $(BIN))/python $(abspath hatch_build.py) npm test
	FAULT_LEDGER=docs $(BIN)/pytest -n 2 --dist loadgroup -m deep
	$(BIN)/pytest tests/faults/test_proof.py

check: $(VENV)/development.stamp $(CLIENT)/node_modules/.stamp  ## linters, types and import contracts alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd $(CLIENT) && $(abspath $(BIN))/python $(abspath hatch_build.py) npm run check

bench: $(VENV)/development.stamp $(BUILT) system-packages  ## ratios against floors measured in the same run, into docs/benchmarks.md
	$(BIN)/python -m bench

format: $(VENV)/development.stamp  ## put the Python code in its one shape
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

system-packages:
	@bash tests/install_system_packages.sh

clean:  ## remove all that make created, demonstration data included
	rm -rf $(VENV) $(CLIENT)/node_modules survey_app/static/build var

$(VENV)/runtime.stamp: requirements/runtime.txt requirements/build.txt pyproject.toml
	@test -x $(BIN)/python || python3 -m venv $(VENV)
	@echo "Installing the Python packages (locked, with hashes)…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/development.stamp: $(VENV)/runtime.stamp requirements/development.txt
	@echo "Installing the development packages (locked, with hashes)…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/development.txt
	@touch $@

$(CLIENT)/node_modules/.stamp: $(CLIENT)/package-lock.json $(VENV)/runtime.stamp
	@echo "Installing the client's packages…"
	@cd $(CLIENT) && $(abspath $(BIN))/python $(abspath hatch_build.py) npm ci --ignore-scripts --silent
	@touch $@

$(BUILT): $(shell find $(CLIENT)/src $(CLIENT)/build.mjs -type f 2>/dev/null) $(CLIENT)/package-lock.json $(VENV)/runtime.stamp
	@echo "Building the browser client…"
	@test -x $(CLIENT)/node_modules/.bin/esbuild || (cd $(CLIENT) && $(abspath $(BIN))/python $(abspath hatch_build.py) npm ci --omit=dev --ignore-scripts --silent)
	@cd $(CLIENT) && $(abspath $(BIN))/python $(abspath hatch_build.py) npm run --silent build
	@touch $@
