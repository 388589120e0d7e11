# Everything happens in .venv: nothing is installed into the system, and ROS need not be there.
PYTHON ?= $(shell command -v python3.11 || echo python3)
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check
HASHED := --require-hashes --no-deps

# A sourced ROS installation, or another environment with ROS wheels, must not leak into this one.
unexport PYTHONPATH AMENT_PREFIX_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE

.DEFAULT_GOAL := help
.PHONY: help install test demo eval no_data soak audit kernels fuzz mutate docs lint format clean

help: ## Show the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

install: $(VENV)/.interfaces ## Make .venv with everything: torch, ROS 2 wheels, the project, its message

WORKERS ?= 2
test: install ## Run the whole suite (ARGS="-k pairing -x" is passed to pytest, WORKERS=0 runs one test at a time)
	$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

demo: install ## Super-resolve the built-in recording by the node over DDS, print a table, leave a report
	$(VENV)/bin/robself demo $(ARGS)

eval: $(if $(DATA),install,no_data) ## Evaluate on a dataset, hours (DATA=folder, ARGS="--methods bicubic,robself_re"); goes on where it was
	$(VENV)/bin/robself eval --dataset $(DATA) --output eval_output --seeds 3 --resume $(ARGS)

no_data:
	@echo "make eval: DATA is not given, expected the dataset's folder: make eval DATA=../Middlebury2006" >&2; exit 2

soak: install ## Send 20,000 small pairs through the node over DDS: nothing may grow (ARGS="--pairs 500")
	$(VENV)/bin/python benchmarks/soak.py $(ARGS)

audit: .audit/.packages ## Look for known vulnerabilities of what install takes (3: no index of advisories reachable)
	.audit/bin/python tools/audit.py .audit/bin/pip-audit

.audit/.packages .docs/.packages: .%/.packages: requirements/%.txt
	$(PYTHON) -m venv .$*
	.$*/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r $<
	@touch $@

kernels: install .kernels/.packages ## Try the GPU's kernels in Triton's interpreter, no GPU needed, some minutes (ARGS="-k padding")
	TRITON_INTERPRET=1 PYTHONPATH=.kernels $(VENV)/bin/python -m pytest -n $(WORKERS) test/test_kernels_*.py $(ARGS)

.kernels/.packages: requirements/triton.txt | $(VENV)/bin/python
	$(PIP) install --quiet --upgrade --target .kernels --no-deps --require-hashes -r $<
	@touch $@

fuzz: install .fuzz/.packages ## Fuzz the decoders of messages, a minute each (ARGS="-runs=10000000")
	PYTHONPATH=.fuzz $(VENV)/bin/python test/fuzz/run.py compressed_depth $(or $(ARGS),-max_total_time=60)
	PYTHONPATH=.fuzz $(VENV)/bin/python test/fuzz/run.py image $(or $(ARGS),-max_total_time=60)

.fuzz/.packages: requirements/fuzz.txt | $(VENV)/bin/python
	$(PIP) install --quiet --upgrade --target .fuzz --require-hashes -r $<
	@touch $@

mutate: install ## Count the small faults that the tests of pairing, geometry and conversions catch, an hour
	$(VENV)/bin/python tools/mutate.py --output benchmarks/mutation.json $(ARGS)

docs: .docs/.packages ## Build the pages of docs/ into site/; a page or link that is amiss fails
	.docs/bin/mkdocs build --strict --clean

lint: install ## Check style
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

format: install ## Apply style
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

clean: ## Remove .venv and everything that was built
	rm -rf $(VENV) .audit .docs .fuzz .kernels site build dist install log *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { \
	  echo "robself_ros: '$(PYTHON)' is not Python 3.11, which the ROS 2 wheels are built for: install it, or name one with PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.packages: setup.py pyproject.toml $(wildcard requirements/*.txt) | $(VENV)/bin/python
	$(PIP) install --quiet $(HASHED) -r requirements/lock.txt
	$(PIP) install --quiet $(HASHED) -r requirements/torch_cpu.txt 2>/dev/null || { \
	  echo "robself_ros: pip does not find the torch of requirements/torch_cpu.txt, or not with its hash: taking PyPI's: some gigabytes" >&2; \
	  $(PIP) install --quiet $(HASHED) -r requirements/torch_pypi.txt; }
	$(PIP) uninstall -qq --yes robself_ros # its name until the distribution was called robself
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.interfaces: $(VENV)/.packages CMakeLists.txt package.xml $(wildcard msg/*.msg) tools/build_interfaces.py
	$(VENV)/bin/python tools/build_interfaces.py
	@touch $@
