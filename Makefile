# Everything runs in .venv, which the first target that needs it sets up from pyproject.toml and constraints.txt.
# Nothing but a Python (3.11 or later) is needed beforehand: make PYTHON=python3.12 demo

PYTHON ?= python3
# Test processes at a time; one thread each, so that they do not crowd each other out.
JOBS ?= 2

BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt
PYTEST := OMP_NUM_THREADS=1 TF_CPP_MIN_LOG_LEVEL=2 $(BIN)/python -m pytest

# For `make tree-sitter`, which alone needs it (Debian 13: apt install tree-sitter-cli).
TREE_SITTER ?= tree-sitter

.PHONY: help demo test test-all lint format docs golden parity tree-sitter zed bench fuzz editors vsix vscode-test clean

help:
	@echo "make demo      train a small network on handwritten digits (sets up torch, not TensorFlow)"
	@echo "make test      the tests, without the slow ones"
	@echo "make test-all  the slow ones too (they use the package index)"
	@echo "make lint      style, types, who may import whom; goldens and generated files up to date"
	@echo "make format    put the code into ruff's form, and the examples into that of nndsl fmt"
	@echo "make docs      write the generated documentation anew, and what is shipped for a quick start"
	@echo "make golden    write the golden files anew; read the difference before you commit it"
	@echo "make parity    measure every entry of the catalogue against Keras anew, and write docs/parity.md"
	@echo "make tree-sitter  the parser in editors/tree-sitter-nndsl anew from its grammar.js"
	@echo "make zed       the extension for Zed, in build/zed"
	@echo "make bench     the benchmarks"
	@echo "make editors   set up what builds and tests the editor plugins (needs node and npm)"
	@echo "make vsix      the VS Code extension: editors/vscode/nndsl-VERSION.vsix"
	@echo "make vscode-test  drive a real VS Code with the extension (slow; needs npm, a C++ compiler and Chromium)"
	@echo "make fuzz      fuzzing led by coverage for SECONDS=60, by atheris in .venv-fuzz"
	@echo "make clean     remove builds and caches (.venv stays)"

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nndsl needs Python 3.11 or later: make PYTHON=...")'
	$(PYTHON) -m venv .venv

# What `nndsl run` needs.
.venv/.stamp-run: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP_INSTALL) -e '.[torch,data,pictures]'
	@touch $@

# Everything; what `nndsl run` needs is part of it.
.venv/.stamp-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP_INSTALL) -e '.[torch,keras,data,pictures,lsp,dev]'
	@touch .venv/.stamp-run $@

demo: .venv/.stamp-run
	$(BIN)/nndsl run examples/digits.nn

test: .venv/.stamp-dev
	$(PYTEST) -q -n $(JOBS) --dist worksteal -m 'not slow'

test-all: .venv/.stamp-dev
	$(PYTEST) -q -n $(JOBS) --dist worksteal

lint: .venv/.stamp-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m nndsl.prepare --check
	$(BIN)/python -m nndsl fmt --check examples docs
	$(BIN)/python -m nndsl.diagnostics.docs --check
	$(BIN)/python -m nndsl.layers.docs --check
	$(BIN)/python -m tests.parity.figures --check
	$(PYTEST) -q -n $(JOBS) -m 'golden and not slow'

format: .venv/.stamp-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m nndsl fmt examples docs

docs: .venv/.stamp-dev
	$(BIN)/python -m nndsl.prepare
	$(BIN)/python -m nndsl.diagnostics.docs
	$(BIN)/python -m nndsl.layers.docs
	$(BIN)/python -m tests.parity.figures

golden: .venv/.stamp-dev
	$(PYTEST) -q -m golden --update

parity: .venv/.stamp-dev
	$(PYTEST) -q -n $(JOBS) --dist worksteal tests/parity/test_against_keras.py --update
	$(BIN)/python -m tests.parity.figures

tree-sitter:
	cd editors/tree-sitter-nndsl && $(TREE_SITTER) generate --no-bindings
	cd editors/tree-sitter-nndsl && sha256sum < grammar.js | cut -d' ' -f1 > src/grammar.js.sha256

zed:
	rm -rf build/zed && mkdir -p build && cp -r editors/zed build/zed
	sed -i.old -e "s|@CHECKOUT@|$(CURDIR)|" -e "s|@COMMIT@|$$(git rev-parse HEAD)|" build/zed/extension.toml
	rm build/zed/extension.toml.old

bench: .venv/.stamp-dev
	@# Start-up is measured with compiled modules, as it is for those who installed nndsl.
	@$(BIN)/python -m compileall -q nndsl
	@set -e; for bench in benchmarks/[!_]*.py; do echo "== $$bench"; $(BIN)/python "$$bench"; done

# With node and npm; the tests of the editor plugins run where this has been made, and skip elsewhere.
VSCODE := editors/vscode

$(VSCODE)/node_modules/.stamp: $(VSCODE)/package.json $(VSCODE)/package-lock.json $(VSCODE)/.npmrc
	cd $(VSCODE) && npm ci --silent
	@touch $@

editors: $(VSCODE)/node_modules/.stamp

# Needs no network: all that goes in is bundled from what `make editors` installed.
vsix: editors
	$(VSCODE)/build-vsix

# The first run installs code-server and builds its native parts, which takes minutes and about 600 MB.
vscode-test: .venv/.stamp-dev editors
	$(VSCODE)/test/real/install $(VSCODE)/test/real/installed
	$(PYTEST) -q tests/editors/test_real_vscode.py

# atheris (Linux, Python 3.11 to 3.13) stands apart from what everybody needs.
SECONDS ?= 60

.venv-fuzz/.stamp: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-fuzz
	.venv-fuzz/bin/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e . 'atheris>=3,<4'
	@touch $@

fuzz: .venv-fuzz/.stamp
	@mkdir -p .fuzz
	.venv-fuzz/bin/python -m tests.fuzz.guided .fuzz -max_total_time=$(SECONDS) -max_len=8000

clean:
	rm -rf $(VSCODE)/dist $(VSCODE)/*.vsix
	rm -rf build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
