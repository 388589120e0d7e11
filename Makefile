# Everything happens in .venv: nothing is installed into the system, and ROS need not be there.
PYTHON ?= $(shell command -v python3.11 || echo python3)
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check

# A sourced ROS installation, or another environment with ROS wheels, must not leak into this one.
unexport PYTHONPATH AMENT_PREFIX_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE

.DEFAULT_GOAL := help
.PHONY: help install test demo eval no_data lint format clean

help: ## Show the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

install: $(VENV)/.interfaces ## Make .venv with everything: torch, ROS 2 wheels, the project, its message

test: install ## Run the whole suite (ARGS="-k pairing -x" is passed to pytest)
	$(VENV)/bin/python -m pytest $(ARGS)

demo: install ## Super-resolve the built-in recording by the node over DDS, print a table, leave a report
	$(VENV)/bin/robself demo $(ARGS)

eval: $(if $(DATA),install,no_data) ## Evaluate on a dataset, hours (DATA=folder, ARGS="--methods bicubic,robself_re"); goes on where it was
	$(VENV)/bin/robself eval --dataset $(DATA) --output eval_output --seeds 3 --resume $(ARGS)

no_data:
	@echo "make eval: DATA is not given, expected the dataset's folder: make eval DATA=../Middlebury2006" >&2; exit 2

lint: install ## Check style
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

format: install ## Apply style
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

clean: ## Remove .venv and everything that was built
	rm -rf $(VENV) build dist install log *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { \
	  echo "robself_ros: '$(PYTHON)' is not Python 3.11, which the ROS 2 wheels are built for: install it, or name one with PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.packages: setup.py pyproject.toml $(wildcard requirements/*.txt) | $(VENV)/bin/python
	$(PIP) install --quiet -c requirements/constraints.txt -r requirements/build.txt
	$(PIP) uninstall -qq --yes robself_ros # its name until the distribution was called robself
	$(PIP) install --quiet -c requirements/constraints.txt --no-build-isolation -e '.[ros,test]'
	$(PIP) install --quiet -c requirements/constraints.txt --no-deps -r requirements/model_files.txt
	@touch $@

$(VENV)/.interfaces: $(VENV)/.packages CMakeLists.txt package.xml $(wildcard msg/*.msg) tools/build_interfaces.py
	$(VENV)/bin/python tools/build_interfaces.py
	@touch $@
