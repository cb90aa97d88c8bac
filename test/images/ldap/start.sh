#!/bin/sh
# OpenLDAP over TLS on port 1636, with the entries of /etc/directory/entries.ldif.
set -eu
mkdir -p data
/usr/sbin/slapadd -f /usr/local/share/directory/slapd.conf -l /etc/directory/entries.ldif
exec /usr/sbin/slapd -d stats -f /usr/local/share/directory/slapd.conf -h 'ldaps://:1636'
