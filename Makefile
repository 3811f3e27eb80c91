# Each target does its own set-up. It needs Rust (stable), Python 3.10 or newer, and Redis or Valkey; what is missing
# is installed where that can be done without asking (apt as root, rustup), and named elsewhere.

CARGO ?= cargo
PREPARE := sh tools/prepare
PYTHON := $(or $(RSTACK_PYTHON),python3)
PYTEST := $(PYTHON) tests/python/run.py

.PHONY: help demo test test-all test-python lint bench bench-quick cores deny

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

demo: ## The whole tour on the AWS of this machine, with Python's imports: no AWS account needed
	@$(PREPARE) rust python redis
	@$(CARGO) build --quiet
	@programs=$$($(PYTEST) --install) && PATH="$$programs:$$PATH" $(CARGO) run --quiet -- demo

test: ## Every test, against real servers on loopback
	@$(PREPARE) rust python redis
	$(CARGO) test --no-fail-fast
	$(PYTEST)

test-all: ## The tests of large releases too, which take minutes
	@$(PREPARE) rust python redis
	$(CARGO) test --no-fail-fast -- --include-ignored
	$(CARGO) test --package rstack-python
	$(PYTEST) --all

test-python: ## Only those of the Python package, on every Python there is (ARGS='-k name' for pytest)
	@$(PREPARE) rust python redis
	$(PYTEST) $(ARGS)

lint: ## Format, lints, the library without the command line, the Python package's half in Rust, documentation
	@$(PREPARE) rust components
	$(CARGO) fmt --all --check
	$(CARGO) clippy --all-targets -- -D warnings
	$(CARGO) clippy --lib --no-default-features -- -D warnings
	$(CARGO) clippy --package rstack-python --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --no-deps --quiet

bench: ## Side by side with other tools; writes docs/performance.md, and warns of ratios worse than those on file
	@$(PREPARE) rust python redis zstd
	$(PYTHON) benches/peers/run.py

bench-quick: ## The same with fewer runs and less data, for CI; writes nothing (SAVE=1 puts its ratios on file)
	@$(PREPARE) rust python redis zstd
	$(PYTHON) benches/peers/run.py --quick $(if $(SAVE),--save)

cores: ## Criterion benches of the pure cores
	@$(PREPARE) rust
	$(CARGO) bench --bench cores

deny: ## Licences, advisories and sources of the dependencies (needs cargo-deny)
	@command -v cargo-deny >/dev/null || { echo 'install it with: cargo install --locked cargo-deny' >&2; exit 1; }
	$(CARGO) deny --all-features check
