# `make` lists what there is. The checks themselves are in .ci/run, so that a
# machine without make runs the same.

BIN     := bin/syncer
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.DEFAULT_GOAL := help
.PHONY: help build install test check lint race fuzz bench golden rendered run image clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/syncer
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN) ./cmd/syncer

install: ## install syncer where go install puts programs
	CGO_ENABLED=0 go install -trimpath -ldflags "-s -w -X main.version=$(VERSION)" ./cmd/syncer

test: ## run the tests
	go test ./...

check: ## run everything that has to hold before a change lands
	.ci/run

lint: ## check formatting, go vet, golangci-lint, workflows and pins
	.ci/run format vet lint workflows pins

race: ## run the tests under the race detector
	.ci/run race

fuzz: ## fuzz every target FUZZTIME (10000x) times
	.ci/run fuzz

bench: ## run the benchmarks of PKG (./...), COUNT (6) times, for benchstat
	go test -run '^$$' -bench . -benchmem -count $(or $(COUNT),6) $(or $(PKG),./...)

golden: ## write the expected trees of the golden paths anew; read the diff before you commit it
	go run ./cmd/syncer test --update
	git --no-pager diff --stat -- goldenpaths

rendered: ## render every fixture, and build, test and lint what comes out
	.ci/run rendered

run: ## play the demo on temporary repositories
	go run ./cmd/syncer demo

image: ## build the container image syncer:dev
	docker build --build-arg VERSION=$(VERSION) -t syncer:dev .

clean: ## remove what was built
	rm -rf bin dist
