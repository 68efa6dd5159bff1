# Every target sets up what it needs; only git and a Python of a supported version must be there.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3 || command -v python)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The address of an index with PyTorch for the CPU alone, which saves about 5 GB; empty: PyTorch for NVIDIA GPUs.
export TORCH_INDEX ?=

# Programs that share the tests, each on a core; three on two cores take as long.
WORKERS ?= 2

# The port of `make mlflow`, the inputs of `make fuzz`, and the kills of `make torture`.
PORT ?= 5000
INPUTS ?= 10000
KILLS ?= 50

.DEFAULT_GOAL := help
.PHONY: help run test fuzz torture lint docs viz mlflow machine clean usable

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: usable  ## render faces, train Baseline and ADDL, compare them
	@$(BIN)/kedro run

test: usable  ## run all tests; on more than two cores: WORKERS=8
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

fuzz: usable  ## try ten thousand inputs of each kind; another number: INPUTS=1000
	@OPENFER_FUZZ=$(INPUTS) $(BIN)/pytest tests/fuzz -q --durations 10

torture: usable  ## kill commands fifty times, and try full and read-only disks; another number: KILLS=10
	@$(BIN)/python -m tools.torture --kills $(KILLS)
	@$(BIN)/python -m tools.torture_disks

lint: usable  ## style, spelling, types, import directions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell src tests docs tools benchmarks conf README.md CONTRIBUTING.md CHANGELOG.md NOTICE Makefile pyproject.toml
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: usable  ## write the documentation site: build/docs/index.html
	@$(BIN)/python -m sphinx -E -W --keep-going -q docs build/docs

viz: usable  ## open the lineage in a browser
	@$(BIN)/kedro viz run --include-hooks

mlflow: usable  ## open the runs at http://127.0.0.1:5000/?workflowType=machine_learning; another port: PORT=5001
	@$(BIN)/python -c 'import socket; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("127.0.0.1", $(PORT)))' 2>/dev/null || { echo "openfer: port $(PORT) is taken or no port; choose another one: make mlflow PORT=5001" >&2; exit 1; }
	@MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false $(BIN)/mlflow server --workers 1 --port $(PORT) --backend-store-uri sqlite:///mlflow.db --artifacts-destination ./mlartifacts

machine: usable  ## what results depend on: processor, threads, versions
	@$(BIN)/python tools/machine.py

clean:  ## remove the virtual environment and caches; data and runs stay
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .import_linter_cache

# A finished environment is looked at too: its Python may be gone, or the folder moved.
usable: $(STAMP)
	@$(BIN)/python -c '' 2>/dev/null || { echo "openfer: the environment $(VENV) is broken: its Python is gone or does not start; remove it with 'make clean', then try again" >&2; exit 1; }
	@$(BIN)/python tools/set_up.py $(VENV) --check

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "openfer needs Python 3.11, 3.12 or 3.13, and no Python was found; install one, or say where it is: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "openfer needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is $$("$(PYTHON)" -V 2>&1); install one of them, or say where it is: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" tools/set_up.py $(VENV)
