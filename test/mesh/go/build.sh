#!/usr/bin/env bash
# Builds what the mesh lab runs, from Go modules, once by version:
#
#   build.sh into FOLDER      FOLDER/kube-apiserver-V, kubectl-V, pilot-discovery-V, sds-V, crds-V.yaml, and context/ with
#                             all of them under their plain names, ready for `docker build`
#   build.sh versions         what they are built from, in one line; needs nothing
#   build.sh missing FOLDER   why it cannot build them into FOLDER, in one line; nothing if it can, or has
#   build.sh consul FOLDER    FOLDER/consul-HASH, which decodes Consul's configuration entries; says its path
#   build.sh consul-path FOLDER     that path, whether it is there or not
#   build.sh consul-missing FOLDER  why it cannot be built, in one line; nothing if it can, or is there
#   build.sh otelcol FOLDER         FOLDER/otelcol-HASH, the OpenTelemetry collector with what docs/trace.md uses; says its
#                                   path. otelcol-path and otelcol-missing as above
#   build.sh helm FOLDER            FOLDER/helm-V, the command of Helm, and FOLDER/cert-manager-V.yaml, the definitions of
#                                   cert-manager; says both paths. helm-path and helm-missing as above
#   build.sh tlog FOLDER            FOLDER/tlog-HASH/ with the programs that check a sealed log: tessera's fsck, litewitness,
#                                   and tlog, which asks Go's own packages; says the folder. tlog-path, tlog-missing as above
#
# Each Go module's own go.mod and go.sum are taken and changed here; *.sum has the checksums that they lack, so that
# nothing but these very files is built.
# Two jobs at a time (MESHGATE_GO_JOBS). Talks on stderr only.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kubernetes=1.35.4
istio=v0.0.0-20260827124520-eed52ebb66ad # 1.31-dev: versions by number are not served as Go modules
istio_version=1.31-dev
helm=4.3.2
cert_manager=1.21.2
go_needed=1.26
jobs=${MESHGATE_GO_JOBS:-2}

sds=$(cat "$here"/sds/*.go "$here/istio.sum" | sha256sum | cut -c 1-12)
consul=consul-$(cat "$here"/consul/*.go "$here"/consul/go.* | sha256sum | cut -c 1-12)
tlog=tlog-$(cat "$here"/tlog/*.go "$here"/tlog/go.* | sha256sum | cut -c 1-12)
otelcol=otelcol-$(cat "$here"/otelcol/*.go "$here"/otelcol/go.* | sha256sum | cut -c 1-12)
kubernetes_files=(kube-apiserver kubectl)
say() { printf 'prepare: %s\n' "$*" >&2; }

has() {
  [ -x "$out/kube-apiserver-$kubernetes" ] && [ -x "$out/kubectl-$kubernetes" ] &&
    [ -x "$out/pilot-discovery-$istio" ] && [ -x "$out/sds-$sds" ]
}

# lacks GO_VERSION: why nothing can be built here, in one line.
lacks() {
  if ! command -v go >/dev/null 2>&1; then
    echo "Go is not installed: install Go $go_needed or newer (Debian's may be older)"
    return
  fi
  local try
  try=$(mktemp -d)
  printf 'module try\ngo %s\n' "$1" >"$try/go.mod"
  # An older Go fetches the newer one by itself, unless GOTOOLCHAIN=local.
  (cd "$try" && go list -m >/dev/null 2>"$try/words") ||
    echo "$(go version 2>/dev/null | cut -d ' ' -f 3) is too old, Go $1 is needed: $(tail -n 1 "$try/words" | cut -c 1-200)"
  rm -rf "$try"
}

missing() {
  has || lacks "$go_needed.0"
}

# module NAME VERSION: downloads it, prints its folder.
module() {
  say "fetching $1 $2"
  (cd "$work" && go mod download -json "$1@$2") | sed -nE 's/^\t"Dir": "(.*)",?$/\1/p'
}

# compile WHAT MINUTES LOG FOLDER BUILD-ARGUMENTS...: go build in a folder; every 20 s a line says how far it is.
compile() {
  local what=$1 minutes=$2 log=$3 folder=$4 began=$SECONDS code=0
  shift 4
  say "building $what (about $minutes minutes on two cores, once), its words are in $log"
  : >"$log"
  (
    while sleep 20 </dev/null >/dev/null 2>&1 9>&-; do
      say "$what: $((SECONDS - began)) s so far, $(grep -c '^go: downloading' "$log") modules fetched, $(grep -vc '^go: ' "$log") packages compiled"
    done
  ) &
  local ticker=$!
  (cd "$folder" && GOFLAGS= go build -v -mod=readonly -buildvcs=false -p "$jobs" "$@") >"$log" 2>&1 || code=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  if [ "$code" != 0 ]; then
    say "$what: the build failed: $(tail -n 1 "$log" | cut -c 1-300); all of it in $log"
    exit 1
  fi
  say "built $what in $((SECONDS - began)) s"
}

# built MINUTES BINARY... -- BUILD-ARGUMENTS: builds in $work/main, with a log.
built() {
  local minutes=$1 names=()
  shift
  while [ "$1" != -- ]; do names+=("$1"); shift; done
  shift
  compile "${names[*]}" "$minutes" "$out/build-${names[0]}.log" "$work/main" -o "$work/bin/" "$@"
}

build_kubernetes() {
  local source symbols="-s -w" package
  source=$(module k8s.io/kubernetes "v$kubernetes")
  # The staging modules are folders in Kubernetes' own tree, and modules of their own outside of it: 1.N is 0.N there.
  sed -E -e 's#^module .*#module meshgate.test/kubernetes#' \
    -e "s#=> \./staging/src/(k8s\.io/[a-z-]+)#=> \1 v0.${kubernetes#1.}#" "$source/go.mod" >"$work/main/go.mod"
  printf '\nrequire k8s.io/kubernetes v%s\n' "$kubernetes" >>"$work/main/go.mod"
  cat "$source/go.sum" "$here/kubernetes.sum" >"$work/main/go.sum"
  # Without them the API server says it is v0.0.0, and clients refuse it.
  for package in k8s.io/client-go/pkg/version k8s.io/component-base/version; do
    symbols+=" -X $package.gitVersion=v$kubernetes -X $package.gitMajor=1 -X $package.gitMinor=$(echo "$kubernetes" | cut -d . -f 2)"
  done
  built 4 "${kubernetes_files[@]}" -- -ldflags "$symbols" k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kubectl
  local name
  for name in "${kubernetes_files[@]}"; do mv "$work/bin/$name" "$out/$name-$kubernetes"; done
}

# istio_main: a main module on Istio's dependencies, for pilot-discovery and for our SDS server.
istio_main() {
  source=$(module istio.io/istio "$istio")
  sed -E 's#^module .*#module meshgate.test/mesh#' "$source/go.mod" >"$work/main/go.mod"
  printf '\nrequire istio.io/istio %s\n' "$istio" >>"$work/main/go.mod"
  cat "$source/go.sum" "$here/istio.sum" >"$work/main/go.sum"
  rm -rf "$work/main/sds"
  cp -r "$here/sds" "$work/main/sds"
}

build_istio() {
  local source
  istio_main
  built 4 pilot-discovery -- -ldflags "-s -w -X istio.io/istio/pkg/version.buildVersion=$istio_version" \
    istio.io/istio/pilot/cmd/pilot-discovery
  cp "$source/manifests/charts/base/files/crd-all.gen.yaml" "$out/crds-$istio.yaml"
  chmod 0644 "$out/crds-$istio.yaml"
  mv "$work/bin/pilot-discovery" "$out/pilot-discovery-$istio"
}

build_sds() {
  local source
  istio_main
  built 1 sds -- -ldflags "-s -w" ./sds
  mv "$work/bin/sds" "$out/sds-$sds"
}

# A program of the machine that tests run on, a module of its own.
build_consul() {
  compile "$consul" 1 "$out/build-consul.log" "$here/consul" -trimpath -ldflags "-s -w" -o "$out/$consul.new" .
  mv "$out/$consul.new" "$out/$consul"
}

# These run on the machine, too. One module pins them all.
build_tlog() {
  rm -rf "$out/$tlog.new"
  mkdir -p "$out/$tlog.new"
  CGO_ENABLED=0 compile "the checkers of sealed logs" 1 "$out/build-tlog.log" "$here/tlog" -trimpath -ldflags "-s -w" \
    -o "$out/$tlog.new/" . filippo.io/torchwood/cmd/litewitness github.com/transparency-dev/tessera/cmd/fsck
  rm -rf "${out:?}/$tlog"
  mv "$out/$tlog.new" "$out/$tlog"
}

# The collector runs on the machine, too.
build_otelcol() {
  CGO_ENABLED=0 compile "$otelcol" 2 "$out/build-otelcol.log" "$here/otelcol" -trimpath -ldflags "-s -w" -o "$out/$otelcol.new" .
  mv "$out/$otelcol.new" "$out/$otelcol"
}

# Helm runs on the machine, too, and renders the chart.
build_helm() {
  local source
  source=$(module helm.sh/helm/v4 "v$helm")
  sed -E 's#^module .*#module meshgate.test/helm#' "$source/go.mod" >"$work/main/go.mod"
  printf '\nrequire helm.sh/helm/v4 v%s\n' "$helm" >>"$work/main/go.mod"
  cat "$source/go.sum" "$here/helm.sum" >"$work/main/go.sum"
  CGO_ENABLED=0 built 3 helm -- -trimpath -ldflags "-s -w" helm.sh/helm/v4/cmd/helm
  mv "$work/bin/helm" "$out/helm-$helm"
}

build_cert_manager() {
  local source
  source=$(module github.com/cert-manager/cert-manager "v$cert_manager")
  cat "$source"/deploy/crds/cert-manager.io_{certificates,issuers}.yaml >"$out/cert-manager.new"
  mv "$out/cert-manager.new" "$out/cert-manager-$cert_manager.yaml"
}

has_helm() { [ -x "$out/helm-$helm" ] && [ -f "$out/cert-manager-$cert_manager.yaml" ]; }
helm_paths() { printf '%s\n' "$out/helm-$helm" "$out/cert-manager-$cert_manager.yaml"; }

# place FILE NAME: into the build context, without a copy where the file system can.
place() {
  cp -lf "$out/$1" "$out/context/$2" 2>/dev/null || cp -f "$out/$1" "$out/context/$2"
}

usage='say "into FOLDER", "missing FOLDER", "consul FOLDER", "consul-path FOLDER", the same with "helm", "otelcol" or "tlog", or "versions"'
command=${1:?$usage}
if [ "$command" = versions ]; then
  echo "kubernetes $kubernetes, istio $istio, sds $sds"
  exit
fi
out=${2:?$usage}
case $command in
  missing)
    missing
    exit
    ;;
  consul)
    mkdir -p "$out"
    [ -x "$out/$consul" ] || build_consul
    echo "$out/$consul"
    exit
    ;;
  consul-path)
    echo "$out/$consul"
    exit
    ;;
  consul-missing)
    [ -x "$out/$consul" ] || lacks "$(sed -nE 's/^go //p' "$here/consul/go.mod")"
    exit
    ;;
  tlog)
    mkdir -p "$out"
    [ -x "$out/$tlog/fsck" ] || build_tlog
    echo "$out/$tlog"
    exit
    ;;
  tlog-path)
    echo "$out/$tlog"
    exit
    ;;
  tlog-missing)
    [ -x "$out/$tlog/fsck" ] || lacks "$(sed -nE 's/^go //p' "$here/tlog/go.mod")"
    exit
    ;;
  otelcol)
    mkdir -p "$out"
    [ -x "$out/$otelcol" ] || build_otelcol
    echo "$out/$otelcol"
    exit
    ;;
  otelcol-path)
    echo "$out/$otelcol"
    exit
    ;;
  otelcol-missing)
    [ -x "$out/$otelcol" ] || lacks "$(sed -nE 's/^go //p' "$here/otelcol/go.mod")"
    exit
    ;;
  helm-path)
    helm_paths
    exit
    ;;
  helm-missing)
    has_helm || lacks "$go_needed.0"
    exit
    ;;
esac

mkdir -p "$out"
work=$(mktemp -d "$out/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/main" "$work/bin"

if [ "$command" = helm ]; then
  [ -x "$out/helm-$helm" ] || build_helm
  has_helm || build_cert_manager
  helm_paths
  exit
fi

[ -x "$out/kube-apiserver-$kubernetes" ] && [ -x "$out/kubectl-$kubernetes" ] || build_kubernetes
[ -x "$out/pilot-discovery-$istio" ] || build_istio
[ -x "$out/sds-$sds" ] || build_sds

rm -rf "$out/context"
mkdir -p "$out/context/crds"
place "kube-apiserver-$kubernetes" kube-apiserver
place "kubectl-$kubernetes" kubectl
place "pilot-discovery-$istio" pilot-discovery
place "sds-$sds" sds
place "crds-$istio.yaml" crds/istio.yaml
