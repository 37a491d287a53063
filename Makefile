# Everything a developer or a machine does with this repository. `make help` lists it.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# Several test processes at once; `make test WORKERS=0` runs them in one.
WORKERS ?= auto
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test check format e2e faults chaos bench lock vendor clean

help:  ## List these targets
	@sed -n 's/^\([a-z0-9]*\):.*##  *\(.*\)/\1|\2/p' $(MAKEFILE_LIST) \
	  | while IFS='|' read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

run: .venv/runtime  ## Start everything on http://127.0.0.1:8000 (PORT=… for another port); Ctrl-C stops it
	@exec $(BIN)/python manage.py serve

test: .venv/dev  ## Run the tests (on SQLite; set DATABASE_URL and BROKER_URL for PostgreSQL and Redis)
	@exec $(BIN)/pytest -n $(WORKERS) $(PYTEST_ARGS)

check: .venv/dev  ## Run every lint, type and consistency check
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec scripts/check

format: .venv/dev  ## Rewrite code and templates in the one style
	$(BIN)/ruff check --fix-only --exit-zero --quiet
	$(BIN)/ruff format --quiet
	git ls-files -z 'templates/*.html' | xargs -0 -r $(BIN)/djade --target-version 5.2 || true
	git ls-files -z 'templates/*.html' | xargs -0 -r $(BIN)/djhtml --tabwidth 2 || true

e2e: .venv/dev node_modules/axe-core  ## Drive the application in a headless browser, with accessibility checks
	@exec $(BIN)/pytest -m e2e -p no:randomly -n 2 --dist loadgroup tests/e2e $(PYTEST_ARGS)

faults: .venv/dev  ## Kill, pause and starve real processes, and count what was lost or doubled (three minutes)
	@exec $(BIN)/pytest -m faults -p no:randomly -n 2 --dist loadfile tests/faults $(PYTEST_ARGS)

chaos: .venv/dev  ## The big one: kill -9 every 2 s; JSON lines (TURNOVERS=1000 STEPS=10, EMBEDDED=1 for SQLite)
	@exec $(BIN)/python -m bench.chaos

bench: .venv/dev  ## Measure pages and steps on a throw-away database; one line of JSON per figure
	@$(BIN)/python -m bench.lists
	@$(BIN)/python -m bench.trains
	@$(BIN)/python -m bench.engine
	@$(BIN)/python -m bench.idle

lock: .venv/dev  ## Pin the newest allowed dependencies, with hashes, in requirements*.lock
	scripts/lock --upgrade

vendor: .venv/dev  ## Fetch the vendored browser files again and verify them
	$(BIN)/python scripts/vendor.py fetch

clean:  ## Remove what can be made again (the data in var/ stay)
	rm -rf .venv node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis var/static

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Release Manager needs Python 3.11 or newer; choose one with: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { echo "Python could not make .venv. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

.venv/runtime: requirements.lock | .venv/bin/python
	@echo "Installing what requirements.lock names."
	@$(PIP) --require-hashes -r requirements.lock
	@touch $@

.venv/dev: requirements-dev.lock | .venv/bin/python
	@echo "Installing what requirements-dev.lock names."
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@ .venv/runtime  # the longer list holds the shorter one

# Only tests need it, so it is neither committed nor shipped.
node_modules/axe-core:
	npm install --loglevel=error --no-audit --no-fund --no-save --no-package-lock --prefix . axe-core@4.14.1
