# The operator's commands. `make help` lists them.
SHELL := /bin/bash
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1
JOBS ?= $(shell nproc)

.PHONY: help build demo test test-long bench fuzz lint format clean

help:  ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

build:  ## Build build/laketap (installs what is missing)
	@tools/bootstrap
	@cmake -S . -B build -G Ninja > build.log 2>&1 || { cat build.log; rm -f build.log; exit 1; }
	@rm -f build.log
	@ninja -C build -j $(JOBS) laketap

demo: build  ## Build, start, deploy the stack, generate data, crawl, ask three questions, keep serving
	@tools/demo

test:  ## Build and run every test that fits the budget, with each suite's time
	@tools/test

test-long:  ## A hundred kills, the thread sanitizer
	@tools/test-long

bench: build  ## Ratios to a peer or to the physical limit, measured in one run
	@tools/bench

fuzz:  ## What reads bytes from outside, a minute each, with clang's fuzzer
	@tools/fuzz

lint:  ## clang-format, clang-tidy and the rules of the house
	@tools/lint

format:  ## Rewrite the sources with clang-format
	@git ls-files '*.cc' '*.h' | xargs clang-format-19 -i

clean:  ## Remove what was built (not what was fetched)
	@rm -rf build build-*
