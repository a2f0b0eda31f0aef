# Two commands do everything on a new machine: make demo, make test. They need Python >= 3.11 with venv, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# uv: the one on PATH, else one of our own in .uv (it is as large as half of everything else, so it stays out of .venv).
UV_VENV := .uv
UV := $(or $(shell command -v uv 2>/dev/null),$(UV_VENV)/bin/uv)
UV_READY := $(if $(filter $(UV_VENV)/bin/uv,$(UV)),$(UV_VENV)/.ready)
PYTEST := $(BIN)/python -m pytest
# Tests wait more than they compute (agents, servers, locks), so one more at a time than there are processors.
JOBS ?= $(shell echo $$(( $$(nproc 2>/dev/null || echo 2) + 1 )))

# uv is fast but has settings of its own (index, certificates); where it cannot install, pip with the user's settings does.
install = $(UV) pip install -q --python $(BIN)/python $(1) || \
	(echo "uv could not install; trying pip" && $(PYTHON) -m pip --python $(BIN)/python install -q --disable-pip-version-check $(1))

.PHONY: demo test test-all check format bench faults night screenshots lock clean

demo: $(VENV)/.run
	$(BIN)/acd demo $(ARGS)

test: $(VENV)/.dev
	$(PYTEST) -n $(JOBS) -m "not extra and not long" $(ARGS)

test-all: $(VENV)/.all
	$(PYTEST) -n $(JOBS) -m "not long" $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.all
	$(BIN)/python -m bench $(ARGS)

faults: $(VENV)/.all
	$(PYTEST) -n $(JOBS) -m "long" --timeout 3600 $(ARGS)

# A simulated night of some minutes: agents that misbehave in every way, a database and a harness that die.
night: $(VENV)/.all
	$(BIN)/python -m bench.night $(ARGS)

# Pictures of every page, in both themes and at both widths, into screenshots/; some of them are copied to docs/images by hand.
screenshots: $(VENV)/.all
	$(BIN)/python -m bench.screenshots $(ARGS)

# The lock files carry hashes and no address: whichever index pip and uv are set up for is used.
lock: $(UV_READY)
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url pyproject.toml -o requirements.lock
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --extra dev pyproject.toml -c requirements.lock -o requirements-dev.lock
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --extra dev --extra browser --extra claude --extra notify --extra parquet --extra readers pyproject.toml -c requirements-dev.lock -o requirements-all.lock

$(UV_VENV)/.ready:
	$(PYTHON) -m venv $(UV_VENV)
	$(UV_VENV)/bin/python -m pip install -q --disable-pip-version-check uv==0.13.9
	@touch $@

$(VENV)/.made: $(UV_READY)
	@$(PYTHON) -c 'import sys; sys.exit("acd needs Python >= 3.11; this is " + sys.version) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv --without-pip $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made requirements.lock pyproject.toml
	$(call install,--require-hashes -r requirements.lock)
	$(call install,--no-deps -e .)
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(call install,--require-hashes -r requirements-dev.lock)
	@touch $@

$(VENV)/.all: $(VENV)/.dev requirements-all.lock
	$(call install,--require-hashes -r requirements-all.lock)
	@touch $@

clean:
	rm -rf $(VENV) $(UV_VENV)
