# Facestep. `make` alone prints this list.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VAULT ?= openbao
export KEYCLOAK_PORT ?= 8080
export SERVICE_PORT ?= 8100
export VAULT_PORT ?= 8200
PY := .venv/bin/python
READY := .venv/.facestep-ready
JAR := keycloak_extension/target/facestep-keycloak.jar

PICTURES := login-passkey-phone.png face-turn-phone.png face-blink-phone-dark.png face-closer-phone.png face-flash-phone.png enrol-recovery-codes-phone.png helpdesk-case-desk.png helpdesk-decide-desk.png helpdesk-check-phone.png

.PHONY: help setup demo demo-check test check format screenshots bench lock clean

help: ## print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

setup: $(READY) $(JAR) ## environment, models, Keycloak extension; quick when nothing changed
	@$(PY) -m tests.stack.prepare

demo: setup ## run everything on loopback and print where to log in (VAULT=local: without OpenBao)
	@$(PY) -m tests.stack.demo --vault $(VAULT)

demo-check: setup ## the demo without a person: a real browser plays every case, one line each
	@$(PY) -m tests.stack.check --vault $(VAULT)

test: setup ## all tests, including the browser ones
	@$(PY) -m tests.stack.chromium
	@$(PY) -m tests.stack.postgresql
	@$(PY) -m pytest
	@$(MAKE) --no-print-directory java-test

.PHONY: java-test
java-test:
	@cd keycloak_extension && mvn -q -B test && echo "Java unit tests passed"

check: lint test ## lint, types, tests

.PHONY: lint
lint: $(READY) ## lint and types, half a minute
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

format: $(READY) ## format and mend what can be mended
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

screenshots: setup ## take the pictures of the pages that README shows
	@$(PY) -m tests.browser.screenshots .run/pictures
	@mkdir -p docs/pictures && cd .run/pictures && cp $(PICTURES) ../../docs/pictures/

bench: setup ## measure (never part of the tests)
	@$(PY) -m benchmarks.run

lock: $(READY) ## pin the Python environment again (requirements.lock, requirements-bootstrap.lock)
	@.venv/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --all-extras -q pyproject.toml -o requirements.lock
	@echo "uv" | .venv/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header -q -c requirements.lock - -o requirements-bootstrap.lock

clean: ## remove what was built here (the download cache stays)
	@rm -rf .venv .run keycloak_extension/target

$(READY): requirements.lock requirements-bootstrap.lock pyproject.toml
	@tests/stack/environment.sh
	@touch $@

$(JAR): $(shell find keycloak_extension/src keycloak_extension/pom.xml -type f 2>/dev/null)
	@tests/stack/extension.sh
