# Everything a person or CI does here. `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Tests run side by side; they wait more than they compute.
PYTEST := $(BIN)/python -m pytest -n $$((2 * $$(nproc))) --dist worksteal

.PHONY: help demo test check format lint types contracts orphans bench fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/installed ## start a small fleet on this machine and watch it (Ctrl-C ends it)
	@exec $(BIN)/jober dev examples/fleet.toml

test: $(VENV)/installed-dev networks clocks databases servers browser monitors previous tools linters crons ## run every test (TESTS=tests/x.py for some)
	@$(PYTEST) $(TESTS)

check: $(VENV)/installed-dev format lint types contracts docs ## what CI runs: format, lint, types, contracts, docs, tests
	@$(MAKE) --no-print-directory test

format: $(VENV)/installed-dev ## check the format (`make fix` mends it)
	@$(BIN)/ruff format --check --quiet . || { echo "format: run 'make fix'"; exit 1; }

lint: $(VENV)/installed-dev ## check the rules of the code
	@$(BIN)/ruff check --quiet .

types: $(VENV)/installed-dev ## check the types
	@$(BIN)/mypy

contracts: $(VENV)/installed-dev ## check who imports whom
	@$(BIN)/lint-imports --no-cache --no-logo

.PHONY: fix soak load
fix: $(VENV)/installed-dev ## mend format and what lint can
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

# What CI runs of them in a tenth of the rounds, they run in full.
.PHONY: faults
faults: $(VENV)/installed-dev networks clocks ## every fault in all its rounds, and a table of them (TESTS=tests/faults/x.py for some)
	@JOBER_FAULTS=all $(PYTEST) $(or $(TESTS),tests/faults)

orphans: $(VENV)/installed-dev ## 100 rounds of forking away from runs, agents and guardians: some 15 minutes
	@$(BIN)/python -m tests.worker.orphan_rounds $(or $(ROUNDS),100)

soak: $(VENV)/installed-dev ## 10,000 runs under a limit of 3 over three agents, two of them killed (RUNS=n for others)
	@$(BIN)/python -m tests.worker.soak $(or $(RUNS),10000)

.PHONY: mutants
mutants: $(VENV)/installed-dev ## take each mechanism out of a copy of the tree: its test has to fail (ONLY=words for some)
	@$(BIN)/python -m tests.mutants.run $(ONLY)

fuzz: $(VENV)/installed-fuzz ## bad input of every kind, 100,000 cases and more (TARGETS="'cron text' roles" for some)
	@$(BIN)/python -m tests.fuzz $(TARGETS)

.PHONY: explore
explore: $(VENV)/installed-dev ## ask the HTTP API whatever its description allows, at length (EXAMPLES=n for each operation)
	@JOBER_EXAMPLES=$(or $(EXAMPLES),200) $(BIN)/python -m pytest -q tests/web/test_exploring.py

load: $(VENV)/installed-dev ## 60 s at 2,000 runs a second over two agents with 50 followers (SECONDS=n for longer)
	@$(BIN)/python -m tests.worker.load $(or $(SECONDS),60)

.PHONY: docs
docs: $(VENV)/installed-docs ## build the documentation into build/docs; warnings are errors
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build
	@! grep -rnE '<(iframe|img|link|script)[^>]* (href|src)="?https?:' build/docs --include='*.html' || \
	  { echo "docs: a page asks another server for something"; exit 1; }

.PHONY: screenshots
screenshots: $(VENV)/installed-dev browser ## take pictures of every page into docs/screenshots
	@$(BIN)/python -m tests.web.screenshots

bench: $(VENV)/installed-bench ## measure, beside peers in the same run (BENCH=throughput for some)
	@$(BIN)/python -m benchmarks $(BENCH)

clean: ## remove what make built
	rm -rf $(VENV) build .mypy_cache .pytest_cache .ruff_cache .hypothesis .fuzz .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Debian splits `venv` from its Python: root gets the package, others are told which.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "jober needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) -V). Name another: make PYTHON=python3.11 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing python3-venv"; apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; \
	  else \
	    echo "Python's venv is missing: apt install python3-venv"; exit 1; \
	  fi
	@echo "building $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# The tests of several hosts make networks of their own: root gets what that takes, and others, who
# may not make any, are told so by the tests.
.PHONY: networks
networks:
	@[ "$$(id -u)" != 0 ] || { command -v ip && command -v nft; } >/dev/null || ! command -v apt-get >/dev/null || \
	  { echo "installing iproute2 and nftables"; apt-get update -qq && apt-get install -y -qq iproute2 nftables >/dev/null; }

# The tests that set clocks take Debian's libfaketime.
.PHONY: clocks
clocks:
	@[ "$$(id -u)" != 0 ] || ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || ! command -v apt-get >/dev/null || \
	  { echo "installing libfaketime"; apt-get update -qq && apt-get install -y -qq libfaketime >/dev/null; }

# The tests of the archive start Debian's PostgreSQL in a folder of their own.
.PHONY: databases
databases:
	@[ "$$(id -u)" != 0 ] || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || ! command -v apt-get >/dev/null || \
	  { echo "installing postgresql"; apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql >/dev/null; }

# What the documentation tells to type takes curl and jq here and there.
.PHONY: tools
tools:
	@[ "$$(id -u)" != 0 ] || { command -v curl && command -v jq; } >/dev/null || ! command -v apt-get >/dev/null || \
	  { echo "installing curl and jq"; apt-get update -qq && apt-get install -y -qq --no-install-recommends curl jq >/dev/null; }

# The tests of the pages look at them in Debian's Chromium.
.PHONY: browser
browser:
	@[ "$$(id -u)" != 0 ] || command -v chromium >/dev/null || ! command -v apt-get >/dev/null || \
	  { echo "installing chromium"; apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; }

# The tests of TLS, and of users of Redis that may only read some keys, start Debian's Redis 7; it is
# unpacked beside, so that all other tests go on with the one that the extra `embedded` carries.
REDIS7 := redis-server redis-tools libjemalloc2 liblua5.1-0 liblzf1 libhiredis0.14 lua-bitop lua-cjson
.PHONY: servers
servers: $(VENV)/redis7
$(VENV)/redis7: | $(BIN)/python
	@command -v redis-server >/dev/null || ! command -v apt-get >/dev/null || \
	  { echo "unpacking redis-server"; \
	    rm -rf build/redis7 && mkdir -p build/redis7 && cd build/redis7 && \
	    { [ "$$(id -u)" != 0 ] || apt-get update -qq; } && \
	    apt-get download -qq $(REDIS7) 2>/dev/null && \
	    for package in *.deb; do dpkg -x $$package $(CURDIR)/$(VENV)/redis7; done; }

# The tests of the alerts start Debian's Prometheus, which is unpacked and not installed, since an
# installed one is a service that starts.
.PHONY: monitors
monitors: $(VENV)/prometheus
$(VENV)/prometheus: | $(BIN)/python
	@command -v promtool >/dev/null || ! command -v apt-get >/dev/null || \
	  { echo "unpacking prometheus"; \
	    rm -rf build/prometheus && mkdir -p build/prometheus && cd build/prometheus && \
	    { [ "$$(id -u)" != 0 ] || apt-get update -qq; } && \
	    apt-get download -qq prometheus 2>/dev/null && dpkg -x prometheus_*.deb $(CURDIR)/$(VENV)/prometheus; }

# What checks the files of deploy/, in an environment of its own: Ansible's needs are many.
.PHONY: linters
linters: $(VENV)/linters
	@[ "$$(id -u)" != 0 ] || { command -v systemd-analyze && command -v openssl; } >/dev/null || ! command -v apt-get >/dev/null || \
	  { echo "installing systemd and openssl"; apt-get update -qq && apt-get install -y -qq --no-install-recommends systemd openssl >/dev/null; }
$(VENV)/linters: pyproject.toml | $(BIN)/python
	@echo "installing what deploy/ is checked with"
	@[ -x $@/bin/python ] || $(PYTHON) -m venv $@
	@$@/bin/python -m pip --disable-pip-version-check --quiet install --upgrade 'pip>=25.1'
	@$@/bin/python -m pip --disable-pip-version-check --quiet install --group deploy
	@touch $@

# The tests of two versions side by side start programs of the one before this.
.PHONY: previous
previous: $(VENV)/installed-dev
	@$(BIN)/python -m tests.previous

# The tests of a takeover start Debian's cron, which is unpacked and not installed for the same reason.
.PHONY: crons
crons: $(VENV)/cron
$(VENV)/cron: | $(BIN)/python
	@! command -v apt-get >/dev/null || \
	  { echo "unpacking cron"; \
	    rm -rf build/cron && mkdir -p build/cron && cd build/cron && \
	    { [ "$$(id -u)" != 0 ] || apt-get update -qq; } && \
	    apt-get download -qq cron 2>/dev/null && dpkg -x cron_*.deb $(CURDIR)/$(VENV)/cron; }

$(VENV)/installed: pyproject.toml | $(BIN)/python
	@echo "installing jober"
	@$(PIP) install -e '.[embedded,web]'
	@touch $@

# pip reads dependency groups since 25.1.
$(VENV)/installed-dev: pyproject.toml | $(VENV)/installed
	@echo "installing what the tests need"
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install -e '.[embedded,archive,metrics,oidc,otel,sign,web]' --group dev
	@touch $@

$(VENV)/installed-docs: pyproject.toml | $(VENV)/installed-dev
	@echo "installing what the documentation is built with"
	@$(PIP) install --group docs
	@touch $@

# SAQ and arq want an older client of Redis than jober takes, so they get an environment of their
# own; BullMQ is for where Node is.
BULLMQ := benchmarks/peers/bullmq/package.json
$(VENV)/installed-bench: pyproject.toml $(BULLMQ) | $(VENV)/installed-dev
	@echo "installing the peers that are measured beside"
	@$(PIP) install --group bench
	@$(PYTHON) -m venv $(VENV)/peers
	@$(VENV)/peers/bin/python -m pip --disable-pip-version-check --quiet install --upgrade 'pip>=25.1'
	@$(VENV)/peers/bin/python -m pip --disable-pip-version-check --quiet install --group bench-apart
	@if command -v npm >/dev/null; then \
	  mkdir -p build/bullmq && cp $(BULLMQ) build/bullmq && \
	  npm install --prefix build/bullmq --silent --no-audit --no-fund; \
	else echo "BullMQ is left out: npm is not there"; fi
	@touch $@

# Coverage-guided, where there is a wheel of atheris; `make fuzz` says so where there is none.
$(VENV)/installed-fuzz: pyproject.toml | $(VENV)/installed-dev
	@echo "installing what the fuzz is guided by"
	@$(PIP) install --only-binary atheris --group fuzz || echo "atheris does not install here"
	@touch $@
