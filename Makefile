# Everything that these targets make or fetch stays in .local/ (ignored by git).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help venv check lint types imports unit test faults patient proof demo servers lock audit clean

# The first Python that is new enough; `make PYTHON=/path/to/python3.12 …` decides otherwise.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

LOCAL := .local
BIN := $(LOCAL)/venv/bin
STAMP := $(LOCAL)/venv/.complete
PYTEST := $(BIN)/python -m pytest
ONCE ?=
export HYPOTHESIS_STORAGE_DIRECTORY := $(LOCAL)/cache/hypothesis

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do printf '  make %-9s %s\n' "$$name" "$$text"; done

venv: $(STAMP) ## Create the environment with pinned, hashed versions

$(STAMP): requirements/dev.txt deploy/local/environment.py
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv" >&2; exit 1; }
	@"$(PYTHON)" -I deploy/local/environment.py $(LOCAL)/venv

check: $(STAMP) ## Lint, types, imports, unit tests: no server
	@$(MAKE) --no-print-directory -j2 lint types imports unit

lint types imports unit: $(STAMP)

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy $(wildcard aiguilleur services shared deploy tests)

imports:
	$(BIN)/lint-imports --cache-dir $(LOCAL)/cache/imports

unit:
	$(PYTEST) -q -m "not integration and not e2e and not faults and not slow"

test: check ## Everything: check, then the whole suite on real Kafka, PostgreSQL, SMTP and Chromium
	$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder -m "(integration or e2e or faults or slow) and not timed and not patient"
	@$(MAKE) --no-print-directory -j2 faults patient
	$(PYTEST) -m "timed and not faults"

faults: $(STAMP)
	$(PYTEST) -m "timed and faults"

patient: $(STAMP)
	nice -n 19 $(PYTEST) -q -m patient

proof: $(STAMP) ## Prove or measure one thing: `make proof NAME=simulation`; without NAME: the list
	@$(BIN)/python -m tests.proof $(or $(NAME),--help) $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(filter-out 0,$(SHORT)),--short)

demo: $(STAMP) ## A town's day through the five services (ONCE=1: exit when every request reached its end)
	@$(BIN)/python -m deploy.demo $(if $(ONCE),--once)

servers: $(STAMP) ## Kafka, PostgreSQL and the mail sink alone, until Ctrl-C
	@$(BIN)/python -m deploy.local

lock: $(STAMP) ## Choose the pinned versions anew from requirements/*.in (needs uv)
	cd requirements && uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q runtime.in -o runtime.txt
	cd requirements && uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -c runtime.txt dev.in -o dev.txt

audit: $(STAMP) ## Ask for known vulnerabilities of the pinned versions
	$(BIN)/pip-audit --require-hashes -r requirements/runtime.txt

clean: ## Remove what was made here (servers still running keep their files in use: stop them first)
	rm -rf $(LOCAL)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
