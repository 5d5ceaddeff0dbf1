# Two commands for everybody: `make up` and `make test`. The rest is for those who change Parley.
#   PYTHON=/path   the Python 3.11 to use          LOCK=requirements/gpu.lock   the official vLLM on an NVIDIA GPU
#   ARGS="…"       passed on to pytest or to the benchmarks

SHELL := /bin/sh
.DEFAULT_GOAL := help
LOCK ?= requirements/cpu.lock
BIN := .venv/bin
export PYTHON

# Nothing of the caller's Python may leak in.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

.PHONY: help up test soak check bench clean lock environment

help:
	@echo "make up      install what is missing, start everything, print the address"
	@echo "make test    install what the tests need, a browser included, and run them all"
	@echo "make soak    the tests that take minutes each: whole retrains killed at random"
	@echo "make check   style, types, floors, migrations"
	@echo "make bench   the benchmarks, with their figures"
	@echo "make lock    resolve the pinned packages again"
	@echo "make clean   remove the environment and what the tools left (the data folder stays)"

environment:
	@requirements/install.sh $(LOCK)

up: environment
	@exec $(BIN)/parley up

# Five thousand tests with real browsers, servers and kills: one that fails is tried once more, five at most, and its traceback is printed
# all the same. What passes the second time is a race to be found, in the test or in Parley.
test: environment
	@echo "Browser: $$($(BIN)/python -m tests.chromium)"
	@$(BIN)/python -m pytest --reruns 1 --max-suite-reruns 5 --rerun-show-tracebacks $(ARGS)

soak: environment
	@$(BIN)/python -m pytest -m soak $(ARGS)

check: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m tests.schema

bench: environment
	$(BIN)/python -m benchmarks.prices $(ARGS)
	$(BIN)/python -m benchmarks.guard $(ARGS)
	$(BIN)/python -m benchmarks.turn $(ARGS)
	$(BIN)/python -m benchmarks.secrecy $(ARGS)
	$(BIN)/python -m benchmarks.crash $(ARGS)
	$(BIN)/python -m benchmarks.reading $(ARGS)
	$(BIN)/python -m benchmarks.hotels $(ARGS)
	$(BIN)/python -m benchmarks.experts $(ARGS)

lock:
	@requirements/install.sh $(LOCK)
	@requirements/lock.sh $(BIN)/python

clean:
	rm -rf .venv build dist screenshots .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage* *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
