# Shoal's commands. `make demo` and `make test` need nothing beforehand but Debian or Ubuntu with Swift.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The product and the tests are built with the same flags in the same folder, so that neither rebuilds the other. `swift test` would
# add -enable-testing a second time, and another command line is another build: TEST_FLAGS keep it from that.
SWIFT_FLAGS := -c release -Xswiftc -enable-testing
TEST_FLAGS := $(SWIFT_FLAGS) --disable-testable-imports

# Open MPI refuses to start as root unless both are set.
ifeq ($(shell id -u),0)
export OMPI_ALLOW_RUN_AS_ROOT := 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM := 1
endif

.PHONY: help demo test test-debian13 build benchmark benchmark-build benchmark-pools benchmark-peer dist format lint install-packages clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## Train the embedded model on two ranks, evaluate before and after, show the table
	@scripts/demo.sh

# Both variables are read when their libraries are loaded, before any code of the tests runs: waiting threads must sleep
# rather than spin, because several ranks share this machine, and OpenBLAS must leave the threads to Shoal's own pool.
test: install-packages ## Run every test
	OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1 swift test $(TEST_FLAGS)

test-debian13: ## The demo and every test on Debian 13, in a folder made by debootstrap (root only; 2 GB of disk)
	@scripts/test-debian13.sh

build: install-packages ## Build .build/release/shoal for this machine's processor
	swift build $(SWIFT_FLAGS) --product shoal

benchmark: benchmark-build ## Time products, kernels and steps against what this machine can do (10 minutes, 3 GB of disk)
	@scripts/benchmark.sh

benchmark-build: install-packages
	swift build $(SWIFT_FLAGS) --product benchmark

benchmark-pools: benchmark-build ## Time the loss phase alone, up to 65,536 rows and 4,096 of token vectors (45 minutes, 3 GB)
	.build/release/benchmark pool --rows 1024 4096 16384 65536
	.build/release/benchmark pool --late --rows 1024 2048 4096 --ranks 2

PYTHON ?= python3
benchmark-peer: benchmark-build ## Compare with PyTorch, in turns; PYTHON=... must have Tests/Benchmarks/peer/requirements.txt
	$(PYTHON) Tests/Benchmarks/peer/compare.py

dist: install-packages ## Make an archive for a cluster without Swift; SHOAL_CPU names its processor (x86-64-v3)
	@scripts/make-dist.sh

format: ## Rewrite all Swift files in the project's format
	swift format --in-place --recursive Sources Tests Package.swift

lint: ## Check the format of all Swift files
	swift format lint --strict --recursive Sources Tests Package.swift

install-packages: ## Install the Debian packages that the build needs, if any is missing
	@scripts/install-packages.sh

clean: ## Remove what was built, and the demo's run
	rm -rf .build dist outputs/demo
