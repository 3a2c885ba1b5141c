# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
# A worker for each processor, and about a gigabyte for each.
PYTEST := $(BIN)/python -m pytest -q -n logical --maxprocesses 8 --dist worksteal

.PHONY: demo test suite nightly check style types bench pages docs clean

demo: .venv/ready
	$(BIN)/goodmeasure demo --out goodmeasure-demo

# The type checker has one core for a minute: the tests begin beside it.
test: .venv/test-ready style
	$(MAKE) --jobs=2 types suite

suite: .venv/test-ready
	$(PYTEST)

# What the suite leaves out of its pairs (tests/turns.py).
nightly: .venv/test-ready
	$(PYTEST) -m nightly

check: style types

style: .venv/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/test-ready
	$(BIN)/mypy

# The pages that are generated and kept.
pages: .venv/test-ready
	$(BIN)/python scripts/docs.py

# The site, into the folder site; once what it takes is installed, it asks nothing of the network.
docs: .venv/docs-ready
	$(BIN)/python scripts/website.py

bench: .venv/bench-ready
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv goodmeasure-demo site

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -e '.[run]'
	touch $@

.venv/docs-ready: .venv/ready
	@echo "installing what builds the pages"
	$(BIN)/python -m pip install -q -e '.[run]' --group docs
	touch $@

# torch first and pinned: other ways to ask for it bring gigabytes of GPU libraries.
.venv/test-ready: .venv/ready
	$(BIN)/python -m pip install -q torch==2.13.0
	$(BIN)/python -m pip install -q -e '.[run,fast,torch,keras,jax,boosting,dask,excel,onnx,plot,polars,spark,sql]' --group test --group docs
	touch $@

.venv/bench-ready: .venv/test-ready
	$(BIN)/python -m pip install -q --group bench
	touch $@
