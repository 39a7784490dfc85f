# The three chores: `make tune` runs the main job, `make test` the tests, `make check` the linters and types; and
# `make arena` tries every method.
# Each makes the virtual environment first, where it is not there yet.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
TRIALS ?= 12
METHODS ?= all

.PHONY: tune arena test check clean

$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "installing into $(VENV) (about two minutes, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt -e ".[dashboard,postgres,dev]"
	@touch $@

tune: $(VENV)/.installed
	@$(BIN)/python platform/tune_mt.py --benchmark muse-mini --trials $(TRIALS) --resume $(FLAGS)

arena: $(VENV)/.installed
	@$(BIN)/python platform/arena.py --benchmark muse-mini --methods $(METHODS) --resume $(FLAGS)

test: $(VENV)/.installed
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
