# The verbs of this project. `make` alone lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

REFERENCES := .venv-bench/.ready

# Tests and benchmarks start hundreds of processes: without bytecode, each would compile whatever it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test chaos defences bench lint format types lock audit clean

help: ## list the verbs
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $(READY)

setup: $(READY) ## make .venv with everything locked in requirements-dev.lock

demo: $(READY) ## the main job on the documented callback, no account needed (KEEP=1 leaves it running)
	$(BIN)/sequence-sync demo $(if $(KEEP),--keep)

test: $(READY) ## the whole test suite
	$(BIN)/python -m pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 2)) --dist worksteal $(ARGS)

chaos: $(READY) ## a long run with faults and kills everywhere (MINUTES=10, SEED=1)
	$(BIN)/python -m tests.chaos --callbacks 2000 $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

defences: $(READY) ## show that each fault of docs/faults.md is survived by its defence (FAULTS="1 5")
	$(BIN)/python -m tests.faults $(FAULTS)

$(REFERENCES): bench/references/requirements.lock bench/references/package-lock.json
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bench/references/requirements.lock
	npm ci --prefix bench/references --ignore-scripts --no-audit --no-fund --silent
	@touch $(REFERENCES)

bench: $(READY) $(REFERENCES) ## ours and others side by side; 40 minutes (ONLY="receiver growth", ROUNDS=5)
	$(BIN)/python -m bench $(ONLY) $(if $(ROUNDS),--rounds $(ROUNDS)); status=$$?; \
	$(BIN)/python -m bench.report && .venv-bench/bin/python -m bench.charts && exit $$status

lint: $(READY) ## ruff (rules and format) and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

format: $(READY) ## ruff format, and the fixes ruff can make
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: $(READY) ## mypy --strict over code and tests
	$(BIN)/mypy
	$(BIN)/mypy tests bench

lock: $(READY) ## rewrite requirements*.lock from pyproject.toml (needs uv)
	uv pip compile -q --universal --generate-hashes --no-annotate --custom-compile-command "make lock" pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-annotate --custom-compile-command "make lock" --group dev pyproject.toml -o requirements-dev.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" bench/references/requirements.txt -o bench/references/requirements.lock
	npm install --prefix bench/references --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --silent

audit: $(READY) ## known vulnerabilities of what requirements.lock pins (asks PyPI)
	@$(BIN)/pip-audit --strict --progress-spinner off --disable-pip --require-hashes -r requirements.lock || { \
		echo "make audit: not passed. A pin has a known vulnerability, or could not be asked about; see above." >&2; exit 1; }

clean: ## remove what the verbs made
	rm -rf $(VENV) .venv-bench bench/references/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
