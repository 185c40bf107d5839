# `make up` starts JIVE, `make test` tests it; both make the environment in .venv first.
# `make PYTHON=python3.13 ...` chooses the Python; without it, the one that .venv has is kept.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Whether an environment can be used: one that was interrupted has no pip, and its Python may be gone or too old.
USABLE := -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))'
ifneq ($(origin PYTHON),file)
ifneq ($(shell $(BIN)/python -V 2>&1),$(shell $(PYTHON) -V 2>&1))
OTHER_PYTHON := other-python
endif
endif

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

$(VENV)/ready: setup.cfg pyproject.toml $(OTHER_PYTHON)
	@if [ -n "$(OTHER_PYTHON)" ] || ! $(BIN)/python $(USABLE) 2>/dev/null; then \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "JIVE needs Python 3.11 or newer; say which: make PYTHON=python3.12 ...")' && \
		echo "Making the environment in $(VENV) with `$(PYTHON) -V`$(if $(wildcard $(BIN)/python), in place of the one that is there) (about half a minute)" && \
		$(PYTHON) -m venv --clear $(VENV); \
	else echo "Updating the environment in $(VENV)"; fi
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded,dev]'
	@touch $@

.PHONY: other-python
other-python:

# The versions that the image holds. Add UV="uvx uv" where uv is not installed; --upgrade takes newer ones.
UV ?= uv
LOCK := $(UV) pip compile setup.cfg --python-version 3.13 --python-platform linux --generate-hashes \
	--no-emit-index-url --no-emit-find-links
lock:
	$(LOCK) -o requirements.lock
	$(LOCK) --extra dev --extra embedded --constraint requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) build dist *.egg-info
