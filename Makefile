# `make search` needs Python 3.11 or newer, git and make; `make test` likewise. Both set up what they need in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: search test lint docs notebooks wheel campaigns format clean

search: $(VENV)/.base
	$(BIN)/ohmnas search --task digits --max-params 50k --max-avm 0.02 --out found

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.dev
	$(BIN)/python -m sphinx -q -W --keep-going -E -b html -d build/doctrees docs build/docs
	$(BIN)/python docs/check_links.py build/docs

notebooks: $(VENV)/.dev
	$(BIN)/python benchmarks/notebooks.py

wheel: $(VENV)/.dev
	$(BIN)/python benchmarks/wheel.py

campaigns: $(VENV)/.dev
	$(BIN)/python benchmarks/campaigns.py

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) found build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "ohmnas needs Python 3.11 or newer; say which with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.base
