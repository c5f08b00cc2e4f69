# Targets of the project; "make" alone lists them. Tests need Java 17 and 21 or newer, and Maven, for real servers.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 30s

# A server that lives for minutes gains nothing from Java's second compiler, which takes more of the processor than the
# tests do. Tests that may run beside others wait more than they compute, so there are more of them than processors.
TEST_ENV   := ESTEST_JAVA_OPTS=-XX:TieredStopAtLevel=1
# "make lint" vets them.
TEST_FLAGS := -count=1 -vet=off -p 3 -parallel 6
# Those that take minutes begin first, so that none of them runs alone at the end.
TEST_PACKAGES := ./internal/e2e ./internal/schedule ./internal/soak ./internal/estest ./...

# Runs a command while one Elasticsearch is there. It is built, not "go run", which would pass on neither the exit code
# nor a signal.
WITH := bin/with-elasticsearch

# Ends a run of the tests: keeps its exit code, and names what was left out for want of the corpus, where nobody can
# miss it.
define END_TESTS
code=$$?; if [ -z "$$ESTEST_CORPUS" ] && [ ! -e ../shared/corpus ]; then \
	echo "LEFT OUT, for want of the corpus: tests of" \
		$$(grep -rl --include='*_test.go' 'estest\.Corpus' . | xargs -n 1 dirname | sort -u) \
		"(set ESTEST_CORPUS to its folder, or put it at ../shared/corpus; CONTRIBUTING.md says what it is)"; \
fi; exit $$code
endef

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build the static binary bin/esrule
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/esrule ./cmd/esrule

.PHONY: image
image: ## Build the Docker image esrule:latest, which says its version and commit
	docker build --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(shell git rev-parse HEAD 2>/dev/null) -t esrule:latest .

.PHONY: test
test: $(WITH) ## Run every test, on a real Elasticsearch
	@echo "Testing on one Elasticsearch for all packages (ESTEST_URL=http://… to use one of your own)"
	$(TEST_ENV) $(WITH) -opensearch -- $(GO) test $(TEST_FLAGS) -timeout 20m $(TEST_PACKAGES); $(END_TESTS)

.PHONY: matrix
matrix: $(WITH) ## Run the end-to-end suite on every supported version of Elasticsearch, and print a table
	$(TEST_ENV) $(GO) run ./internal/e2e/matrix $(VERSIONS)

.PHONY: test-short
test-short: ## Run the tests that need no Elasticsearch
	$(GO) test -count=1 -short ./...; $(END_TESTS)

.PHONY: race
race: $(WITH) ## Run every test with the race detector (needs a C compiler)
	$(TEST_ENV) $(WITH) -opensearch -- $(GO) test -race $(TEST_FLAGS) -timeout 40m $(TEST_PACKAGES); $(END_TESTS)

.PHONY: race-short
race-short: ## Run the tests that need no Elasticsearch, of packages with goroutines, with the race detector
	$(GO) test -race -count=1 -short ./cmd/esrule ./internal/detect ./internal/elastic/... \
		./internal/metrics ./internal/scan ./internal/schedule/... ./internal/sink/...

.PHONY: bench
bench: $(WITH) ## Measure the pre-filter against the same rule with its patterns pushed down
	$(WITH) -- $(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m ./bench/...

.PHONY: demo
demo: ## Show the whole path: a real Elasticsearch, events of six sources, signals
	$(GO) run ./demo

# A module of its own: what the linters need is no part of the program's go.mod.
# Its cache is this clone's: a shared one gives the paths of clones that are gone, and what
# .golangci.yml excludes by a line's text is then reported.
GOLANGCI := GOLANGCI_LINT_CACHE=$(CURDIR)/bin/lint-cache $(GO) tool -modfile=.ci/golangci-lint/go.mod golangci-lint

.PHONY: lint
lint: ## Check go.mod, formatting, and what .golangci.yml asks for
	$(GO) mod tidy -diff
	$(GOLANGCI) run ./...

.PHONY: fuzz
fuzz: fuzz-go fuzz-server ## Run fuzz-go and fuzz-server

.PHONY: fuzz-go
fuzz-go: ## Fuzz each of Go's fuzz targets for FUZZTIME (30s)
	@set -e; grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file"); do \
			echo "$$target in $$(dirname "$$file"), $(FUZZTIME)"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" </dev/null; \
		done; \
	done

.PHONY: fuzz-server
fuzz-server: $(WITH) ## Let a real Elasticsearch judge random rules and events, with new seeds for FUZZTIME (30s) a test
	ESTEST_FUZZTIME=$(FUZZTIME) $(WITH) -- $(GO) test -count=1 -timeout 0 -v -run '^Test(Judge|Superset)' \
		$$(grep -rl --include='*_test.go' 'estest\.Seeds(' . | xargs -n 1 dirname | sort -u)

.PHONY: soak
soak: ## Run the program while everything fails: 1,000 faults over 100,000 events (SOAK_SEED=… repeats a schedule, SOAK_RULES=300 runs so many rules)
	SOAK_FAULTS=$${SOAK_FAULTS:-1000} SOAK_EVENTS=$${SOAK_EVENTS:-100000} $(GO) test -count=1 -v -timeout 0 -run '^TestSoak$$' ./internal/soak

.PHONY: clean
clean: ## Delete what the other targets built
	rm -rf bin

.PHONY: $(WITH)
$(WITH):
	@$(GO) build -buildvcs=false -o $@ ./internal/estest/with
