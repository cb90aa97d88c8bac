#!/usr/bin/env bash
# Prepares a Debian machine for the tests: the Docker engine, the images, the benchmark's load generator.
#
#   prepare.sh engine    a Docker engine that answers (installed and started if there is none)
#   prepare.sh images    engine, then every image below as NAME:dev and NAME:<hash of its inputs>
#   prepare.sh bench     engine and images, then the load generator
#   prepare.sh all       everything
#   prepare.sh NAME...   only these images: gateway bare cmodule envoy node
#
# Repeatable: what is there already is left alone, what changed is built again.
# NGINX_SUITE and NGINX_VERSION choose the nginx; MESHGATE_CACHE is where downloads and the engine's log go.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
images=$root/test/images
cache=${MESHGATE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/meshgate}
base=debian:trixie-slim
nginx_suite=${NGINX_SUITE:-sid}
nginx_version=${NGINX_VERSION:-}
envoy_version=1.40.0

export DEBIAN_FRONTEND=noninteractive DOCKER_BUILDKIT=0
mkdir -p "$cache"

say() { printf 'prepare: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
answers() { timeout 20 docker info --format '{{.ServerVersion}}' >/dev/null 2>&1; }

# Runs a noisy command, keeps its output in a log, shows the end of it only on failure.
quiet() {
  local log=$cache/$1.log
  shift
  "$@" >"$log" 2>&1 </dev/null || { tail -n 15 "$log" >&2; return 1; }
}

apt_updated=
apt_install() {
  [ "$(id -u)" = 0 ] || die "missing: $*; run this as root, or apt-get install $* first"
  have apt-get || die "missing: $*; this machine has no apt-get, install them by hand"
  # A mirror may be past the date in its Release files.
  local opts=(-q -y -o Acquire::Check-Valid-Until=false -o DPkg::Lock::Timeout=300)
  if [ -z "$apt_updated" ]; then
    quiet apt-update apt-get "${opts[@]}" update || say "apt-get update had errors, going on with what it has"
    apt_updated=1
  fi
  say "installing $*"
  quiet apt-install apt-get "${opts[@]}" install --no-install-recommends "$@" ||
    die "apt-get could not install $*; see $cache/apt-install.log"
}

engine() {
  if have docker && answers; then
    return
  fi
  [ "$(id -u)" = 0 ] || die "no Docker engine answers; start one, join its group, or run this as root"
  local missing=()
  have dockerd || missing+=(docker.io)
  have runc || missing+=(runc)
  have iptables || missing+=(iptables)
  have mmdebstrap || missing+=(mmdebstrap)
  if [ ${#missing[@]} -gt 0 ]; then
    apt_install "${missing[@]}"
  fi
  have docker || apt_install docker-cli # a package of its own since Debian 13
  if ! answers; then
    if [ -d /run/systemd/system ]; then
      systemctl start docker || true
    else
      say "starting dockerd, log in $cache/dockerd.log"
      setsid dockerd >"$cache/dockerd.log" 2>&1 </dev/null &
    fi
  fi
  local pid=${!:-} deadline=$((SECONDS + 60))
  until answers; do
    if [ -n "$pid" ] && ! kill -0 "$pid" 2>/dev/null; then
      tail -n 5 "$cache/dockerd.log" >&2
      die "dockerd stopped at start; see $cache/dockerd.log"
    fi
    [ $SECONDS -lt $deadline ] || die "no Docker engine answers after 60 s; see $cache/dockerd.log"
    sleep 0.2
  done
  say "Docker engine $(docker info --format '{{.ServerVersion}}') answers"
}

exists() { docker image inspect "$1" >/dev/null 2>&1; }

base_image() {
  exists "$base" && return
  say "pulling $base"
  if quiet pull timeout 60 docker pull -q "$base"; then
    return
  fi 2>/dev/null
  say "no image registry answers: making $base from packages"
  have mmdebstrap || apt_install mmdebstrap
  quiet mmdebstrap bash -o pipefail -c '
    mmdebstrap --variant=minbase --aptopt="Acquire::Check-Valid-Until \"false\"" trixie - | docker import - '"$base" ||
    die "mmdebstrap could not make $base; see $cache/mmdebstrap.log"
}
