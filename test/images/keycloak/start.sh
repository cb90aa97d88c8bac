#!/bin/sh
# Keycloak over TLS on port 8443, with the realms of data/import. KC_HOSTNAME says under which URL it is known;
# /etc/keycloak has its certificate, its key, and the CA for clients and for what it calls itself.
set -eu
cd /opt/keycloak
exec sh bin/kc.sh start --optimized --import-realm \
  --https-certificate-file=/etc/keycloak/tls.crt --https-certificate-key-file=/etc/keycloak/tls.key \
  --truststore-paths=/etc/keycloak/ca.pem --spi-events-listener--jboss-logging--success-level=info "$@"
