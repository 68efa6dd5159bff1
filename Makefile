# Every target sets up what it needs; only Python 3.11 or later and git must be there.
PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help run test lint viz mlflow clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(STAMP)  ## render faces, train Baseline and ADDL, compare them
	@$(BIN)/kedro run

test: $(STAMP)  ## run all tests
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: $(STAMP)  ## style, types, import directions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

viz: $(STAMP)  ## open the lineage in a browser
	@$(BIN)/kedro viz run --include-hooks

mlflow: $(STAMP)  ## open the runs at http://127.0.0.1:5000/?workflowType=machine_learning
	@MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false $(BIN)/mlflow server --workers 1 --backend-store-uri sqlite:///mlflow.db --artifacts-destination ./mlartifacts

clean:  ## remove the virtual environment and caches; data and runs stay
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .import_linter_cache

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "openfer needs Python 3.11 or later, and no Python was found; install it, or say where it is: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "openfer needs Python 3.11 or later, and $(PYTHON) is $$("$(PYTHON)" -V 2>&1); install a newer one, or say where it is: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up $(VENV) (once; about 7 GB with PyTorch, a few minutes) ..."
	@"$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
