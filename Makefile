PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests that share a machine well (computing, and servers of their own): two processes share them. Browsers and real clients run one by one.
COMPUTING := tests/cluster tests/kubeapi tests/kubectl tests/notes tests/documentation tests/rooms tests/live tests/test_house.py tests/test_memory.py \
	tests/test_settings.py

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
	for name in pods idle fanout http sched shell traffic statefulset ordered daemonset job; do $(BIN)/python -m bench $$name || exit 1; done

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
