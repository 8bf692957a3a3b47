# `make` alone lists these. Everything lives in .venv and var; nothing else on the machine is touched.
PYTHON ?= python3
BIN := .venv/bin
export FLASK_APP := app
export PYTHONWARNINGS := ignore::SyntaxWarning

.PHONY: help demo run test hooks attack soak bench screenshots lock clean
help: ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv/installed ## Serve a fictional school on 127.0.0.1, PORT=5000; FRESH=1 begins anew
	@$(BIN)/flask demo $(if $(FRESH),--fresh)

run: .venv/installed ## Serve the real installation (put it behind TLS: see README)
	@$(BIN)/flask serve

test: .venv/tested ## Install what is missing and pass every test, on SQLite and on PostgreSQL
	@$(BIN)/python -m tests.browser.chromium
	@$(BIN)/python -m tests.poppler
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -n 4 --dist worksteal
	@$(BIN)/python -m pytest -n 4 --dist worksteal --engine postgresql

hooks: .venv/tested ## Run the style, the types and the rules of the house before each commit
	@$(BIN)/pre-commit install

attack: .venv/tested ## Attack a served installation and print what held
	@$(BIN)/python -W ignore -m tests.attack

soak: .venv/tested ## Kill the server again and again for MINUTES=10 while people save; ENGINE=postgresql
	@$(BIN)/python -W ignore -m tests.soak --minutes $(or $(MINUTES),10) --engine $(or $(ENGINE),sqlite)

bench: .venv/tested ## Measure the writing hints, and the pages with ROWS=10000, EVENTS=0, ENGINE=sqlite; PEER=folder: beside a peer, ROWS=100000
	@PEER=$(PEER) ROWS=$(or $(ROWS),$(if $(PEER),100000,10000)) EVENTS=$(or $(EVENTS),0) ENGINE=$(or $(ENGINE),sqlite) $(BIN)/python -W ignore -m tests.bench

screenshots: .venv/tested ## Make the pictures of the README again
	@$(BIN)/python -m tests.browser.screenshots

lock: ## Pin all packages again after a change of requirements.txt
	@$(PYTHON) -m venv .venv-lock && sed '/^-c/d' requirements.txt > .venv-lock/requirements.txt && cp requirements-test.txt .venv-lock/
	@.venv-lock/bin/pip install -q -r .venv-lock/requirements-test.txt && .venv-lock/bin/pip freeze > requirements.lock; rm -rf .venv-lock

clean: ## Remove what was installed; data in var stays
	rm -rf .venv build

PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check

.venv/installed: requirements.txt requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say which with: make PYTHON=python3.11 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the pinned packages into .venv…"
	@$(PIP) -r requirements.txt
	@touch $@

.venv/tested: .venv/installed requirements-test.txt
	@echo "Installing the test packages into .venv…"
	@$(PIP) -r requirements-test.txt
	@touch $@
