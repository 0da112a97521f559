# Provost needs Go and nothing else to build and to run its demo.
# The linters are pinned in a module of their own (tools/), so that they do not pin our libraries.

SHELL      := /bin/bash
GO         ?= go
VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS    := -s -w -X main.version=$(VERSION)
BUILD      := CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)'
PLATFORMS  := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64
# The tests that run goroutines against each other; the race detector is slow, so it gets these alone.
RACESERVER := Limit|RequestLog|Together|Throughput|Cursors
RACESTORE  := Shared|^Test(SQLite|Postgres)$$/^(OneGroup|CompareAndSwap|AddAndDelete|Walk|FollowLog|Members|Leases)$$
FUZZTIME   ?= 30s

.DEFAULT_GOAL := help

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/provost, one static binary
	$(BUILD) -o bin/provost ./cmd/provost

demo: build ## a server with sample data, and what three identity providers send to it
	bin/provost demo --exit

test: check ## everything: checks, all tests on SQLite and PostgreSQL, the race detector
	scripts/need postgres gcc
	scripts/need-directories
	$(GO) test ./...
	CGO_ENABLED=1 $(GO) test -race ./access ./directory
	CGO_ENABLED=1 $(GO) test -race ./scimserver -run '$(RACESERVER)'
	CGO_ENABLED=1 $(GO) test -race ./store -run '$(RACESTORE)'
	CGO_ENABLED=1 $(GO) test -race ./cmd/provost -run EndToEnd

check: ## formatting, vet, house rules, staticcheck
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo 'not formatted:'; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) test .
	$(GO) tool -modfile=tools/go.mod staticcheck ./...

interop: ## suites of others against Provost, and provost verify against servers of others (PyPI, npm)
	interop/run.sh
	interop/verify.sh

fuzz: ## every fuzz target for FUZZTIME (30s)
	@set -e; for file in $$(grep -rl '^func Fuzz' --include='*_test.go' . | sort); do \
	  dir=$$(dirname $$file); \
	  for name in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' $$file); do \
	    echo "$$dir $$name"; $(GO) test $$dir -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME); \
	  done; \
	done

catch: ## the score of provost verify: broken servers, and which case names the bug
	$(GO) test ./verify -run TestCatchTable -v -count=1

bench: ## Provost side by side with what its stack can do
	$(GO) run ./bench $(BENCHFLAGS)

chaos: ## kill -9, full disks, lost databases under load; takes minutes, wants root
	scripts/need postgres
	$(GO) test ./chaos -tags chaos -count=1 -timeout 120m -v

release: ## dist/: a binary per platform and their checksums
	@rm -rf dist && mkdir dist
	@set -e; for p in $(PLATFORMS); do \
	  name=provost_$(VERSION)_$${p%/*}_$${p#*/}; [[ $$p == windows/* ]] && name=$$name.exe; \
	  echo $$name; GOOS=$${p%/*} GOARCH=$${p#*/} $(BUILD) -o dist/$$name ./cmd/provost; \
	done
	cd dist && sha256sum provost_* > SHA256SUMS

clean: ## remove what was built
	rm -rf bin dist

.PHONY: help build demo catch test check interop fuzz bench chaos release clean
