# The stable commands. Each installs or starts what it needs, or says in one line what is missing.
.DEFAULT_GOAL := help
.PHONY: help up down test soak changes fuzz check bench image manifests build dist deps

# Dependencies, among them the Node 24 that all commands below run on; where there are some, what changed.
node_modules/.package-lock.json: package.json package-lock.json
	@command -v npm >/dev/null 2>&1 || test/images/prepare.sh npm
	@echo "installing npm packages" >&2
	@if [ -d node_modules ]; then npm install --no-save --no-audit --no-fund --prefer-offline --loglevel=error; \
	else npm ci --no-audit --no-fund --loglevel=error; fi >&2
	@touch $@

deps: node_modules/.package-lock.json

help: ## this list
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1\t\2/p' Makefile | expand -t 14

up: deps ## the demo: gateway, OpenID provider, mesh ingress, two services, on this machine
	@npm run --silent demo:up

down: ## removes the demo
	@npm run --silent demo:down

test: deps ## every test, on real nginx, Envoy and OpenID provider
	@npm run --silent test

soak: deps ## the whole suite N times (N=10), every second time on a busy machine: rows in test/soak.tsv
	@npm run --silent soak -- $(or $(N),1)

changes: deps ## changes the policy of a running image N=1000 times under load: failed requests, memory
	@test/images/prepare.sh gateway bare
	@N=$(N) npm run --silent changes

fuzz: deps ## properties from fresh seeds for MINUTES=5; PART=unit, gateway, security, mesh (hunts) or a path
	@MINUTES=$(MINUTES) PART=$(PART) npm run --silent fuzz

check: deps ## types, lint, retired words, unit tests without sweeps, sizes, dist is fresh
	@npm run --silent check

bench: deps ## CPU and memory per request: table, chart and test/bench/results.json
	@test/images/prepare.sh bench
	@npm run --silent bench

image: deps ## the gateway's image, meshgate/gateway:dev
	@test/images/prepare.sh gateway

manifests: deps ## nginx/manifests from nginx/chart
	@MESHGATE_PREPARE=helm npx vitest run --project mesh test/mesh/manifests.test.ts -t 'is what the chart renders' -u

build: deps ## dist/ from src/
	@npm run --silent build

dist: deps ## a release in out/: npm package, archive, bill of materials, checksums
	@npm run --silent dist
