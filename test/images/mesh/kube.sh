#!/bin/sh
# etcd and a kube-apiserver on it, as one container: the API server is the first process, so a signal stops it before
# etcd (the other way round it hangs). The folder has its certificate, its service accounts' key and the admin's token.
#
#   kube.sh FOLDER
set -eu
export GOGC=400
etcd --name lab --data-dir /var/lib/kube/etcd --unsafe-no-fsync --logger zap --log-level error \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
  --listen-peer-urls http://127.0.0.1:2380 &
exec kube-apiserver \
  --etcd-servers http://127.0.0.1:2379 --cert-dir /var/lib/kube/cert --secure-port 6443 --bind-address 0.0.0.0 \
  --tls-cert-file "$1/server.pem" --tls-private-key-file "$1/server.key" --token-auth-file "$1/tokens.csv" \
  --service-account-key-file "$1/accounts.pem" --service-account-signing-key-file "$1/accounts.key" \
  --service-account-issuer https://kubernetes.default.svc.cluster.local --authorization-mode RBAC \
  --service-cluster-ip-range 10.96.0.0/16 --endpoint-reconciler-type none \
  --disable-admission-plugins ServiceAccount --enable-priority-and-fairness=false --profiling=false
