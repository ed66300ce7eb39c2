# `make demo` and `make test` need Python and make, nothing else.
PYTHON ?= python3
VENV := .venv
ENGINES := .venv-engines
BIN := $(VENV)/bin
EXTRAS := dev,models

.PHONY: demo test test-fast test-engines fuzz generate lint bench bench-resolve setup docs clean

setup: $(VENV)/.ready
$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]' hatchling
	touch $@

# The base install alone, as a user has it: no engine, no development tools.
$(VENV)-demo/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)-demo
	$(VENV)-demo/bin/pip install --quiet --disable-pip-version-check .
	touch $@

demo: $(VENV)-demo/.ready  ## compile the three showcase examples and print a native config for each
	@for backend in vllm tensorrt_llm pytorch; do \
		echo "== examples/showcase/$$backend.yaml"; \
		$(VENV)-demo/bin/llmcfg compile examples/showcase/$$backend.yaml --backend $$backend || exit 1; \
	done

# vLLM's CPU build wants torch from its own release line; the audio and vision packages that it
# pulls in do not match a CPU torch and would break `import transformers`.
$(ENGINES)/.ready: pyproject.toml requirements-engines.txt
	$(PYTHON) -m venv $(ENGINES)
	$(ENGINES)/bin/pip install --quiet --disable-pip-version-check $(shell grep ^torch== requirements-engines.txt)
	$(ENGINES)/bin/pip install --quiet --disable-pip-version-check -r requirements-engines.txt
	$(ENGINES)/bin/pip uninstall --quiet --yes torchvision torchaudio torchcodec
	$(ENGINES)/bin/pip install --quiet --disable-pip-version-check --editable '.[models,audit]' hypothesis jsonschema pytest
	touch $@

test: lint test-fast test-engines  ## everything, the engines' own judgement included

test-fast: $(VENV)/.ready  ## what needs no engine; node comes from PyPI, the editors' language servers from npm
	$(BIN)/python -m pytest -m "not vllm and not transformers"

test-engines: $(ENGINES)/.ready  ## what vLLM and transformers say
	VLLM_LOGGING_LEVEL=ERROR VLLM_CPU_KVCACHE_SPACE=1 $(ENGINES)/bin/python -m pytest -m "vllm or transformers"

SECONDS ?= 60
fuzz: $(VENV)/.ready  ## reading and compiling made-up input with atheris, for SECONDS; finds go to .fuzz/
	mkdir -p .fuzz/corpus
	$(BIN)/pip install --quiet --disable-pip-version-check atheris
	PYTHONPATH=.:generated $(BIN)/python -m tests.fuzz.atheris_target .fuzz/corpus -artifact_prefix=.fuzz/ \
		-max_total_time=$(SECONDS) -max_len=4096 -timeout=20 -rss_limit_mb=2048

generate: $(VENV)/.ready  ## write generated/ and the generated pages from schema/
	$(BIN)/python -m llmcfg.generator write

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m llmcfg.generator check

bench: $(VENV)/.ready  ## ratios measured side by side, written to docs/benchmarks.md
	$(BIN)/python benchmarks/run.py

bench-resolve: $(ENGINES)/.ready  ## how fast vLLM's own code answers, against a process for each config
	$(ENGINES)/bin/python benchmarks/resolve.py

docs: $(VENV)/.ready
	$(BIN)/pip install --quiet --disable-pip-version-check '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) $(VENV)-demo $(ENGINES) tests/editors/node_modules .fuzz site dist
