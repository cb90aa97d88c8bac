#!/bin/sh
# While the image is built: has the API server take the definitions of Istio's objects, so that labs find them in etcd.
# Keys and tokens are for this moment.
set -eu
folder=$(mktemp -d)
cd "$folder"
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
  -keyout server.key -out server.pem 2>/dev/null
cp server.key accounts.key
cp server.pem accounts.pem
token=$(openssl rand -hex 24)
echo "$token,admin,admin,system:masters" >tokens.csv
kube.sh "$folder" >log 2>&1 &
kube=$!
ask() { KUBECONFIG=/dev/null kubectl --server https://localhost:6443 --certificate-authority server.pem --token "$token" "$@"; }
tries=0
until ask get --raw /readyz >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ $tries -lt 120 ] || { tail -n 20 log; exit 1; }
  sleep 0.5
done
ask apply --server-side -f /usr/share/mesh/crds/
ask wait --for=condition=Established --timeout=60s crd --all
kill "$kube"
wait "$kube" || true
pkill -x etcd
while pgrep -x etcd >/dev/null; do sleep 0.1; done
rm -rf "$folder" /var/lib/kube/cert
