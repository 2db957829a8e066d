PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests without servers, browsers or wall time: two processes share them. The others run one by one.
COMPUTING := tests/cluster tests/kubeapi tests/kubectl tests/notes

.PHONY: run test lint bench clean

run: $(VENV)/.run
	$(BIN)/python -m server

test: $(VENV)/.dev
	$(BIN)/python tests/tools/browser.py
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -q -n 2 --dist loadfile $(COMPUTING)
	$(BIN)/python -m pytest -q $(COMPUTING:%=--ignore %)

lint: $(VENV)/.dev
	$(BIN)/ruff check .

bench: $(VENV)/.dev
	for name in pods idle fanout http sched statefulset ordered daemonset job; do $(BIN)/python -m bench $$name || exit 1; done

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt requirements-clients.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-clients.txt
	touch $(VENV)/.run $@

clean:
	rm -rf $(VENV)
