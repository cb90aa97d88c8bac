#!/bin/sh
# While the image is built: starts Keycloak once and ends it, for the tables of its database, the administrator `admin`
# with the password `admin`, and the archive of the classes that a start needs.
set -eu
cd /opt/keycloak
folder=$(mktemp -d)
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
  -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>/dev/null
export KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=admin
JAVA_OPTS_APPEND=-XX:+AutoCreateSharedArchive sh bin/kc.sh start --optimized --hostname=https://localhost:8443 \
  --https-certificate-file="$folder/cert.pem" --https-certificate-key-file="$folder/key.pem" >"$folder/log" 2>&1 &
keycloak=$!
tries=0
until grep -q 'Listening on' "$folder/log"; do
  tries=$((tries + 1))
  if [ $tries -ge 600 ] || ! kill -0 "$keycloak"; then
    tail -n 20 "$folder/log"
    exit 1
  fi
  sleep 0.5
done
kill "$keycloak"
wait "$keycloak" || true
rm -rf "$folder"
[ -f classes.jsa ] && [ -f data/h2/keycloakdb.mv.db ]
