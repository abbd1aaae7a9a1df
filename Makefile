# Redraft, from a clone: `make demo` shows it at work, `make test` tests it, `make check` is what CI runs before the tests.
# Needs Python 3.11 or newer with its venv module, and make; everything else is installed into $(VENV).

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast check format figures measure bench lock clean

# The first of these that runs and is new enough; say `make PYTHON=... demo` for another.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv

BIN := $(VENV)/bin
READY := $(VENV)/.installed

# One process per core, each with one thread: small tensors gain nothing from two.
TESTS = OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -n auto --dist worksteal

# What the shell happens to point at must not leak into the environment made here.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## Make the virtual environment with what is locked; instant when nothing changed

demo: $(READY) ## Run the main job on two problems, in English and Chinese, and check every answer
	@$(BIN)/python -m redraft.evaluation.demo

test: $(READY) ## Run the whole test suite
	$(TESTS)

test-fast: $(READY) ## Run the tests that take less than a second or so each
	$(TESTS) -m "not slow"

check: $(READY) ## Lint, types, layers, docstrings, command help and README: what CI runs before the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-cache
	$(BIN)/pydoclint --quiet src
	$(BIN)/python -m pytest -q tests/contract

format: $(READY) ## Put imports and layout in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

figures: $(READY) ## Write the measured figures of the shipped models into README.md
	$(BIN)/python -m redraft.evaluation.figures --write

measure: $(READY) ## Measure every figure of the shipped models again, then write them into README.md; takes minutes
	$(BIN)/python -m redraft.evaluation.remeasure src/redraft/models/nano
	$(BIN)/python -m redraft.evaluation.remeasure src/redraft/models/editor
	$(BIN)/python -m redraft.evaluation.remeasure src/redraft/models/fixer
	$(BIN)/python -m redraft.evaluation.remeasure src/redraft/models/coder
	$(BIN)/python -m redraft.evaluation.remeasure src/redraft/models/solver
	$(BIN)/python -m redraft.evaluation.remeasure src/redraft/models/writer
	$(BIN)/python -m redraft.evaluation.figures --write

bench: $(READY) ## Measure speed beside baselines and keep the result in benchmarks/; first builds llama.cpp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/bench.txt
	$(BIN)/redraft bench --prompt short --save benchmarks

lock: ## Resolve pyproject.toml anew and write requirements/lock.txt
	rm -rf $(VENV)-lock
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet ".[dev]"
	@{ sed -n '/^#/p' requirements/lock.txt; \
		$(VENV)-lock/bin/python -m pip freeze --exclude redraft \
		| sed -E 's/\+.*//' | grep -vE '^(nvidia-|cuda-|triton==)'; } > requirements/lock.new
	mv requirements/lock.new requirements/lock.txt
	rm -rf $(VENV)-lock

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) $(VENV)-lock .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(READY): requirements/lock.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Redraft needs Python 3.11 or newer and found none; name one: make PYTHON=path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/lock.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)
