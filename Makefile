# 财问 (Caiwen). `make run` and `make test` need nothing before them; `make help` explains the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell deploy/setup/find-python 3.11)
VENV := .venv
RASA_VENV := .venv-rasa
BIN := $(VENV)/bin
HOME_DIR ?= var
STAMPS := .setup

.PHONY: help setup run test test-all test-system check lint types train bench migrate screenshots docs lock clean

help: ## Explain every recipe
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMPS)/main $(STAMPS)/rasa ## Build both Python environments from the lock files

$(STAMPS)/main: deploy/requirements/main.txt pyproject.toml deploy/setup/main-environment
	@deploy/setup/main-environment "$(PYTHON)" $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/rasa: deploy/requirements/rasa.txt deploy/setup/rasa-environment $(STAMPS)/main
	@deploy/setup/rasa-environment $(VENV) $(RASA_VENV)
	@mkdir -p $(STAMPS) && touch $@

run: setup ## Set up what is missing and serve everything with sample content
	@$(BIN)/caiwen --home $(HOME_DIR) init
	@exec $(BIN)/caiwen --home $(HOME_DIR) up

test: setup test-system ## Set up what is missing and run the default tests (under 10 minutes)
	@deploy/setup/run-tests $(BIN) default

test-all: setup test-system ## Run every test, the slow ones too
	@deploy/setup/run-tests $(BIN) all

test-system: ## Install Chromium, fonts and PostgreSQL where tests miss them (Debian, as root)
	@deploy/setup/system-packages

check: lint types ## Formatting, lint, types and import contracts, without the tests

lint: setup
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/lint-imports

types: setup
	@$(BIN)/mypy

train: setup ## Train the NLU and the knowledge base index of the workspace again
	@$(BIN)/caiwen --home $(HOME_DIR) train

bench: setup ## Print figures: search, dialogue over HTTP, start-up, memory, NLU pipelines
	@$(BIN)/python -m bench

migrate: setup ## Bring the workspace's database to the newest schema
	@$(BIN)/caiwen --home $(HOME_DIR) migrate

screenshots: setup test-system ## Draw docs/images from the running product
	@$(BIN)/python -m docs.screenshots $(HOME_DIR)

docs: setup ## Write the generated reference pages again
	@$(BIN)/python -m docs.generate

lock: setup ## Write the lock files from what is installed
	@deploy/setup/write-locks $(VENV) $(RASA_VENV)

clean: ## Remove environments, caches and the workspace
	rm -rf $(VENV) $(RASA_VENV) $(STAMPS) $(HOME_DIR) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
