# The user's path and CI's are the same: every target first makes .venv from pyproject.toml,
# with the versions pinned in constraints.txt. What a set of extras adds to .venv has a stamp of its
# own, so that `make test` after `make train` brings what is missing and no more.
PYTHON ?= $(shell for p in python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
BACKEND := tensorflow
PY := $(VENV)/bin/python
WORKERS := -n 2 --dist worksteal
# What `make test` leaves out of its quarter of an hour, and CI does not.
ALL := -m "not slow and not environment and not random"
SLOWEST := --durations=10 --durations-min=1
ON_THE_GPU := jax==0.11.2 jaxlib==0.11.2 numpy==2.5.2
ARGS ?=
comma := ,
# What an install takes on two cores; the download is about a third of the size.
SIZE_tensorflow := about 2.8 GB in .venv, about four minutes
SIZE_jax := about 1.3 GB, one to two minutes
SIZE_dev := about 0.7 GB, one minute
SIZE_bench := about 0.9 GB, one minute
# What `make test-jax` runs; compiled by XLA, all of the models' tests take half an hour.
TESTS ?= tests/models

.PHONY: help install install-train install-jax install-bench train demo demo-border test test-all test-onednn test-slow test-random test-jax \
	test-bench test-without-tensorflow gpu-rehearsal check format tensorboard constraints clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 28

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "padzoo needs Python 3.11 or 3.12; name one with: make PYTHON=/path/to/python3.12" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# pip's own words go to a file; what is shown is how long it has taken and how large $(VENV) is by now.
# Installed editable: `import padzoo` is models/, and no copy of it grows old beside it.
define add
	@printf '%s\n' "$(VENV): $(2)"; \
	log=$(VENV)/pip.log; began=$$(date +%s); \
	told() { set -- $$(( $$(date +%s) - began )) $$(du -sm $(VENV) | cut -f1); \
		printf '%d:%02d  %5d MB  %s' $$(($$1 / 60)) $$(($$1 % 60)) $$2; }; \
	$(PY) -m pip install --disable-pip-version-check --progress-bar off --constraint constraints.txt \
		--editable '.[$(1)]' > $$log 2>&1 & pip=$$!; \
	trap 'kill $$pip; exit 130' INT TERM; \
	every=15; end='\n'; if [ -t 1 ]; then every=1; end='\r'; fi; waited=0; \
	while kill -0 $$pip 2>/dev/null; do \
		sleep 1; waited=$$((waited + 1)); [ $$((waited % every)) -eq 0 ] || continue; \
		at=$$(sed -n -E 's/^(Collecting|Requirement already satisfied:) ([^ ;<>=!~\[]+).*/\2/p; s/^(Installing) collected.*/installing/p' $$log | tail -1); \
		printf "%s  %-40s$$end" "$$(told)" "$$at"; \
	done; \
	wait $$pip || { tail -n 20 $$log >&2; exit 2; }; \
	printf '%s  %-40s\n' "$$(told)" "ready"
	@rm -rf build padzoo.egg-info
	@touch $@
endef

$(VENV)/.installed-train: $(VENV)/.made pyproject.toml constraints.txt
	$(call add,$(BACKEND)$(comma)train,installing $(BACKEND) and what training needs: $(SIZE_$(BACKEND)))

$(VENV)/.installed-dev: $(VENV)/.installed-train
	$(call add,$(BACKEND)$(comma)train$(comma)dev,adding what tests and checks need: $(SIZE_dev))

$(VENV)/.installed-bench: $(VENV)/.installed-dev
	$(call add,$(BACKEND)$(comma)train$(comma)dev$(comma)bench,adding PyTorch: $(SIZE_bench))

install-train: $(VENV)/.installed-train  ## make .venv with what training needs, at the pinned versions

install: $(VENV)/.installed-dev  ## the same, and what tests and checks need

install-jax:  ## make .venv-jax: JAX, and no TensorFlow
	@$(MAKE) --no-print-directory install VENV=.venv-jax BACKEND=jax

install-bench: $(VENV)/.installed-bench  ## add PyTorch to .venv: the peer in the benchmarks

train: install-train  ## train the default network under padding=same (ARGS="padding=valid seed=1" for more)
	@$(PY) train.py padding=same $(ARGS)

demo: install-train  ## a first answer in minutes: four paddings, six seeds, a table and a picture
	@$(PY) train.py -m sweep=demo hydra/launcher=joblib $(ARGS)

test: install  ## run the quick tests, two at a time (about 10 minutes on two quiet cores)
	@echo "The quick tests, two at a time: about 10 minutes on two quiet cores, and the slowest are listed"
	@echo "at the end. ARGS=tests/conf runs some of them; make test-all runs the rest too, as CI does."
	@$(PY) -m pytest $(WORKERS) $(SLOWEST) $(ARGS)

test-all: install  ## run the quick tests and the full grids, as CI does (up to half an hour)
	@echo "The quick tests and the full grids, two at a time: up to half an hour on two quiet cores."
	@$(PY) -m pytest $(WORKERS) $(ALL) $(SLOWEST) $(ARGS)

test-onednn: install  ## run the tests of the layers with oneDNN off, and with it and the full grids: TensorFlow chooses by processor
	@TF_ENABLE_ONEDNN_OPTS=0 $(PY) -m pytest $(WORKERS) tests/models/layers $(ARGS)
	@TF_ENABLE_ONEDNN_OPTS=1 $(PY) -m pytest $(WORKERS) $(ALL) tests/models/layers $(ARGS)

test-slow: install  ## run the slow tests: kills and resumes, real data
	@$(PY) -m pytest -m slow $(ARGS)

test-random: install  ## run thousands of drawn cases against the oracle (ARGS="--hypothesis-seed=1")
	@$(PY) -m pytest -m random tests/models $(ARGS)

test-jax: install-jax  ## run the tests of layers and models on JAX (TESTS=tests/models/layers for some)
	@KERAS_BACKEND=jax .venv-jax/bin/python -m pytest $(WORKERS) $(ALL) $(TESTS) $(ARGS)

test-without-tensorflow: install install-jax  ## train in .venv-jax, where TensorFlow is not installed
	@PADZOO_JAX_PYTHON=$(CURDIR)/.venv-jax/bin/python $(PY) -m pytest -m environment -s $(ARGS)

# The versions of the GPU machine, which Python 3.11 does not have; PyTorch is left out.
gpu-rehearsal:  ## run the kit for a GPU at tiny size on the CPU, without TensorFlow
	@$(MAKE) --no-print-directory install VENV=.venv-gpu BACKEND=jax
	@.venv-gpu/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 12))' || exit 0; \
		.venv-gpu/bin/python -m pip install --quiet --disable-pip-version-check $(ON_THE_GPU)
	@.venv-gpu/bin/python -m pytest -m "slow or not slow" tests/experiments/benchmarks/gpu $(ARGS)

test-bench: install-bench  ## run the tests of the networks in PyTorch
	@$(PY) -m pytest $(ALL) tests/experiments/benchmarks/pytorch $(ARGS)

check: install  ## lint, format check, types
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

format: install  ## format and sort imports
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

demo-border: install-train  ## where in an image a padding makes its error, in three minutes
	@$(PY) train.py -m sweep=demo_border hydra/launcher=joblib $(ARGS)

tensorboard: install-train  ## open TensorBoard on runs/ (http://localhost:6006)
	@$(VENV)/bin/tensorboard --logdir runs

constraints: install  ## pin the newest versions that pyproject.toml allows
	@$(PY) -m pip install --quiet --disable-pip-version-check uv
	@$(VENV)/bin/uv pip compile --quiet --universal --extra train --extra tensorflow --extra jax --extra gpu --extra gpu-jax --extra photographs --extra dev --python-version 3.11 --no-annotate --no-header \
		--upgrade --output-file constraints.txt pyproject.toml

clean:  ## remove .venv, .venv-jax, .venv-gpu and caches (runs/ stays)
	rm -rf .venv .venv-jax .venv-gpu build *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
