#!/bin/sh
# bin/meshgate of the archive: the command on Node 22 or newer, else on njs.
file=$(readlink -f "$0")
home=${file%/bin/*}
if node -e 'process.exit(Number(process.versions.node.split(".")[0] < 22))' 2>/dev/null; then
  exec node "$home/dist/cli.js" "$@"
fi
if ! command -v njs >/dev/null 2>&1; then
  echo 'meshgate: neither Node 22 nor njs is installed: install the package njs, or nodejs' >&2
  exit 1
fi
MESHGATE_LIB=$home/dist exec sh "$home/nginx/meshgate.sh" "$@"
