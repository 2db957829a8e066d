PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The tests that are all computing. Two processes share them, then the browsers, real clients and the page's own code, a file at a time.
COMPUTING := tests/cluster tests/kubeapi tests/kubectl tests/notes tests/documentation tests/rooms tests/live tests/test_house.py tests/test_memory.py \
	tests/test_settings.py

# The page in all its detail: too slow for every change on two cores, so by its own target. What stays in `make test` visits every part once.
PAGE := $(addprefix tests/browser/test_,$(addsuffix .py,access acts control_plane doors editor first_visit inspector interact keyboard_only lasting legible phone reading \
	relations scale taken_away time why_page))

.PHONY: run test test-page lint bench clean

run: $(VENV)/.run
	$(BIN)/python -m server

test: $(VENV)/.dev
	$(BIN)/python tests/tools/browser.py
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -q -n 2 --dist loadfile $(COMPUTING)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile $(COMPUTING:%=--ignore %) $(PAGE:%=--ignore %)

test-page: $(VENV)/.dev
	$(BIN)/python tests/tools/browser.py
	$(BIN)/python -m pytest -q -n 2 --dist loadfile $(PAGE)

lint: $(VENV)/.dev
	$(BIN)/ruff check .

bench: $(VENV)/.dev
	for name in pods idle fanout http sched shell traffic canvas bounds statefulset ordered daemonset job; do $(BIN)/python -m bench $$name || exit 1; done

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
