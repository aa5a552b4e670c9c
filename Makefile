# SPDX-License-Identifier: AGPL-3.0-or-later
# `make help` lists the targets. What needs more than a few lines is in .ci/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

GO      ?= go
PREFIX  ?= /usr/local
DESTDIR ?=
BINDIR  ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share

APP_ID  := video.shoal.Shoal
VERSION ?= $(shell sed -n 's/^Version *= *"\(.*\)"/\1/p' FyneApp.toml)
COMMIT  ?= $(shell git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null || true)
# The C compiler reads it; the Go linker puts no time into a program.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

VERSION_PACKAGE := shoal/app/cli
LDFLAGS    = -s -w -X $(VERSION_PACKAGE).version=$(VERSION) -X $(VERSION_PACKAGE).commit=$(COMMIT)
BUILDFLAGS = -trimpath -buildvcs=false -ldflags '$(LDFLAGS)'

# anacrolix/torrent can keep its state in SQLite; Shoal keeps its own, so SQLite stays out.
TAGS := nosqlite
export GOFLAGS += -tags=$(TAGS)

# Modules of their own, which ./... leaves out.
NESTED := peer/utp app/early

# Where .ci/node.sh puts a Node.js, if the machine's own is too old for the test peers.
export PATH := $(CURDIR)/.build/node/bin:$(PATH)

FUZZTIME  ?= 20s
BENCHTIME ?= 1x
ARGS      ?=

GOLANGCI_LINT := .tools/bin/golangci-lint-v2.15.0
GOVULNCHECK   := .tools/bin/govulncheck-v1.9.0

##@ For everyone

.PHONY: run
run: deps build ## Set up, build and start Shoal (without a display: shoal demo). ARGS="..." is handed on
	@if [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ]; then exec ./shoal $(ARGS); fi; \
	echo "There is no display here, so this runs: shoal demo"; exec ./shoal demo

.PHONY: deps
deps: ## Install the system packages that building and running take
	@.ci/deps.sh build run

.PHONY: build
build: ## Build ./shoal
	$(GO) build $(BUILDFLAGS) -o shoal ./app

.PHONY: build-headless
build-headless: ## Build ./shoal without cgo: no window, no uTP
	CGO_ENABLED=0 $(GO) build $(BUILDFLAGS) -o shoal ./app

.PHONY: build-windows
build-windows: ## Build shoal.exe for 64-bit Windows with mingw-w64
	@.ci/deps.sh build windows
	CGO_ENABLED=1 GOOS=windows GOARCH=amd64 CC=x86_64-w64-mingw32-gcc CXX=x86_64-w64-mingw32-g++ \
		$(GO) build $(BUILDFLAGS) -o shoal.exe ./app

.PHONY: install
install: ## Install the built ./shoal under $(DESTDIR)$(PREFIX)
	install -D -m 755 shoal "$(DESTDIR)$(BINDIR)/shoal"
	install -D -m 644 assets/packaging/$(APP_ID).desktop "$(DESTDIR)$(DATADIR)/applications/$(APP_ID).desktop"
	install -D -m 644 assets/packaging/$(APP_ID).metainfo.xml "$(DESTDIR)$(DATADIR)/metainfo/$(APP_ID).metainfo.xml"
	install -D -m 644 assets/icons/shoal.png "$(DESTDIR)$(DATADIR)/icons/hicolor/512x512/apps/$(APP_ID).png"
	install -D -m 644 assets/icons/shoal.svg "$(DESTDIR)$(DATADIR)/icons/hicolor/scalable/apps/$(APP_ID).svg"

##@ For developers

.PHONY: check
check: fmt-check ## Fast checks: format, vet, build, short unit tests
	$(GO) vet ./...
	$(GO) build $(BUILDFLAGS) -o shoal ./app
	$(GO) test -short ./...

.PHONY: test
test: deps-test test-unit test-e2e ## Set up and run every test

.PHONY: deps-test
deps-test: deps
	@.ci/deps.sh test
	@.ci/node.sh
	@peer/testpeer/install.sh

.PHONY: test-unit
test-unit: ## Unit tests, with the race detector except for what draws a window
	@.ci/go-packages.sh plain | xargs $(GO) test -race -timeout 10m
	@.ci/go-packages.sh fyne | xargs $(GO) test -timeout 10m
	for module in $(NESTED); do (cd $$module && $(GO) test -race -timeout 5m ./...); done

.PHONY: test-e2e
test-e2e: ## Tests against real peers: Chromium, Node.js, aria2, libmpv, a window under Xvfb
	@.ci/go-packages.sh e2e | xargs $(GO) test -tags $(TAGS),e2e -p 1 -timeout 20m

.PHONY: bench
bench: deps-test ## Benchmarks beside their references, ratios printed
	@.ci/deps.sh bench
	@.ci/go-packages.sh bench | xargs $(GO) test -tags $(TAGS),e2e,bench -p 1 -timeout 40m -run '^$$' -bench . -benchtime $(BENCHTIME)

.PHONY: fuzz
fuzz: ## Every fuzz test in turn, each for FUZZTIME (20s)
	@.ci/go-packages.sh fuzz | while read -r package name; do \
		echo "$$package $$name"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null; \
	done

.PHONY: lint
lint: $(GOLANGCI_LINT) ## All linters; .golangci.yml holds the walls between the rooms
	$(GOLANGCI_LINT) run ./...
	for module in $(NESTED); do (cd $$module && "$(CURDIR)/$(GOLANGCI_LINT)" run ./...); done

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format every Go file
	$(GOLANGCI_LINT) fmt

.PHONY: fmt-check
fmt-check: $(GOLANGCI_LINT)
	$(GOLANGCI_LINT) fmt --diff

.PHONY: tools
tools: $(GOLANGCI_LINT) $(GOVULNCHECK)

.PHONY: vulncheck
vulncheck: $(GOVULNCHECK) ## Known vulnerabilities in what is linked (asks the Go vulnerability database)
	$(GOVULNCHECK) ./...

.tools/bin/golangci-lint-%:
	GOBIN="$(CURDIR)/.tools/bin" $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$*
	mv .tools/bin/golangci-lint $@

.tools/bin/govulncheck-%:
	GOBIN="$(CURDIR)/.tools/bin" $(GO) install golang.org/x/vuln/cmd/govulncheck@$*
	mv .tools/bin/govulncheck $@

.PHONY: clean
clean: ## Remove what was built; tools and set-up stay until `make distclean`
	rm -f shoal shoal.exe

.PHONY: distclean
distclean: clean
	rm -rf .build .tools

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' Makefile
