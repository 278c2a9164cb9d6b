# `make help` lists what there is. Whatever a target needs and is missing it installs with apt.
PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
# What `make install` installs; `make static` makes .build-static/release/varve.
BINARY ?= .build/release/varve

RELEASE = $(SWIFT) build -c release
SHARE = $(DESTDIR)$(PREFIX)/share
COMPLETIONS = bash-completion/completions/varve zsh/site-functions/_varve \
	fish/vendor_completions.d/varve.fish
PAGES1 = $(notdir $(wildcard man/*.1))
PAGES5 = $(notdir $(wildcard man/*.5))
SCRIPTS = .ci/run $(wildcard Scripts/*.sh Benchmarks/*.sh)
# `swift format` takes directories; the benchmark programs lie outside Sources.
SWIFT_CODE = Package.swift Sources Tests $(wildcard Benchmarks/*Benchmark)

.DEFAULT_GOAL = build
.PHONY: build test check soak man demo bench install uninstall lint format static clean help \
	test-spark

build: need-build ## Build the release binary, .build/release/varve
	$(RELEASE) --product varve

test: need-test ## Install what the tests need and run them all
	VARVE_REQUIRE_TOOLS=1 $(SWIFT) test --disable-xctest

# What a reader would object to before any test runs.
check: need-check lint ## Check format, scripts, subjects of commits and manual pages
	Scripts/check-commits.sh
	$(SWIFT) build --product varve
	Scripts/make-man.py --check "$$($(SWIFT) build --show-bin-path)/varve"

# VARVE_SOAK_ROUNDS: how often the tests kill what they test.
# VARVE_CRASH_POINTS: how many power cuts each crash law is asked of, a million in all.
soak: need-test ## A million power cuts, 100 kills of everything, five minutes among writers
	VARVE_CRASH_POINTS=100000 $(SWIFT) test --disable-xctest --filter 'Laws/|After a crash'
	VARVE_REQUIRE_TOOLS=1 VARVE_SOAK_ROUNDS=100 $(SWIFT) test --disable-xctest --filter 'kill|Kill'
	$(RELEASE) --product varve
	.build-python/bin/python3 Scripts/table-soak.py soak \
		"$$($(RELEASE) --show-bin-path)/varve" 300
	.build-python/bin/python3 Scripts/table-soak.py replicas \
		"$$($(RELEASE) --show-bin-path)/varve" 300
	.build-python/bin/python3 Scripts/table-soak.py kill \
		"$$($(RELEASE) --show-bin-path)/varve" 100

test-spark: need-spark ## Let Spark read tables of ours as Parquet; large, so not in test
	$(SWIFT) build --product varve
	varve="$$($(SWIFT) build --show-bin-path)/varve" \
		.build-python/bin/python3 Scripts/table_peers with_spark

man: need-test ## Make the manual pages from the help text and man/parts
	$(RELEASE) --product varve
	Scripts/make-man.py "$$($(RELEASE) --show-bin-path)/varve"

demo: need-demo ## Build, then snapshot, damage, restore and ship a small store, step by step
	$(RELEASE) --product varve
	VARVE="$$($(RELEASE) --show-bin-path)/varve" Scripts/demo.sh

bench: need-bench ## Measure against restic, borg, rsync; writes Benchmarks/RESULTS.md
	$(RELEASE) --product varve
	$(RELEASE) --product FloorBenchmark
	bin="$$($(RELEASE) --show-bin-path)" && \
	VARVE="$$bin/varve" FLOOR_BENCHMARK="$$bin/FloorBenchmark" Benchmarks/run.sh

# Builds only when nothing is built yet: so `make && sudo make install` needs no Swift for root.
install: ## Install binary, man pages and completions below PREFIX (/usr/local)
	test -x $(BINARY) || $(MAKE) --no-print-directory build
	install -D -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/varve
	install -d $(SHARE)/man/man1 $(SHARE)/man/man5
	install -m 644 man/*.1 $(SHARE)/man/man1
	install -m 644 man/*.5 $(SHARE)/man/man5
	for place in $(COMPLETIONS); do \
		shell=$${place%%/*} && shell=$${shell%-completion} && \
		install -d "$(SHARE)/$$(dirname $$place)" && \
		$(BINARY) --generate-completion-script "$$shell" > "$(SHARE)/$$place" && \
		chmod 644 "$(SHARE)/$$place" || exit 1; \
	done

uninstall: ## Remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/varve
	rm -f $(addprefix $(SHARE)/man/man1/,$(PAGES1)) $(addprefix $(SHARE)/man/man5/,$(PAGES5))
	rm -f $(addprefix $(SHARE)/,$(COMPLETIONS))

lint: ## Check format and style of the Swift code, and the shell scripts
	$(SWIFT) format lint --strict -r $(SWIFT_CODE)
	@if command -v shellcheck > /dev/null; then \
		echo shellcheck $(SCRIPTS) && shellcheck $(SCRIPTS); \
	else echo "shellcheck is not installed: scripts not checked"; fi

format: ## Format the Swift code in place
	$(SWIFT) format --in-place -r $(SWIFT_CODE)

# The dispatching XXH3 is in libxxhash.so only, so the C libraries stay shared.
static: need-build ## Build a binary for hosts without Swift; says which libraries it needs
	$(RELEASE) --product varve --static-swift-stdlib --scratch-path .build-static
	@echo; echo ".build-static/release/varve needs:"
	@ldd .build-static/release/varve | awk '$$1 ~ /^lib/ { print "    " $$1 }' | sort
	@echo "On Debian all come with: apt install libxxhash0 libzstd1 libssl3 libstdc++6 \
		libsnappy1v5 liblz4-1 zlib1g"

clean: ## Remove everything built (benchmark data in Benchmarks/data stays)
	rm -rf .build .build-python .build-static

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

need-%:
	@Scripts/install-missing.sh $*
